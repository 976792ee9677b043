"""Where a run's lines for people go: a function that the caller gives, and a bar if there is one.

Nothing in this package writes to standard output or standard error.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

# Takes one line for people, without a line break.
Log: TypeAlias = Callable[[str], None]

# Seconds to the first line, and between lines.
EVERY = 2.0


class ProgressBar(Protocol):
    """What shows on a terminal how far a run is; the command line brings one."""

    def start(self, total: int, completed: int) -> None:
        """Show the bar: iterations in all, and those done already."""

    def update(self, completed: int, text: str) -> None:
        """Move it, with a text beside it."""

    def stop(self) -> None:
        """Leave it as it is; lines go below it from now on."""


def no_log(_line: str) -> None:
    """Drop a line."""


def duration_text(seconds: float) -> str:
    """A time as people read it: ``00:00:42``, ``23:04:27``, ``2 d 23:04:27``."""
    days, left = divmod(round(max(seconds, 0.0)), 24 * 3600)
    text = f"{left // 3600:02}:{left // 60 % 60:02}:{left % 60:02}"
    return f"{days} d {text}" if days else text


def throttle(log: Log) -> Log:
    """A function that passes a line on where the last one (or the start) is `EVERY` seconds ago."""
    last = time.perf_counter()

    def passed(line: str) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= EVERY:
            log(line)
            last = now

    return passed
