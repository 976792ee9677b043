"""After two seconds of silence, report what the command is waiting for."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

from ._escape import printable

SILENCE = 2.0  # seconds
_LOOK = 0.25  # seconds between two looks


class SilenceBreaker:
    """Names the work in hand on standard error, once each, where nothing was written for a while.

    A thread of its own looks at the clock, from the first wait on: the work may be one long call.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Standard error as it was when the work began: while Paddle is imported it is elsewhere.
        self._work: list[tuple[str, TextIO]] = []
        self._reported: set[str] = set()
        self._last = time.monotonic()
        self._looking = False

    def begin(self, what: str) -> None:
        """As `graphprobe.waits.WaitListener`."""
        with self._lock:
            self._work.append((what, sys.stderr))
            start, self._looking = not self._looking, True
        if start:
            threading.Thread(target=self._look_on, daemon=True).start()

    def end(self) -> None:
        """As `graphprobe.waits.WaitListener`."""
        with self._lock:
            self._work.pop()

    def reset(self) -> None:
        """Something was written just now."""
        self._last = time.monotonic()

    def look(self, now: float) -> None:
        """Name the innermost work where it has been silent for long enough.

        Args:
            now: of the monotonic clock, in seconds.
        """
        with self._lock:
            if not self._work or now - self._last < SILENCE:
                return
            what, stream = self._work[-1]
            if what in self._reported:
                return
            self._reported.add(what)
            self._last = now
            stream.write(f"{printable(what)} ...\n")
            stream.flush()

    def _look_on(self) -> None:
        while True:
            time.sleep(_LOOK)
            self.look(time.monotonic())


BREAKER = SilenceBreaker()
