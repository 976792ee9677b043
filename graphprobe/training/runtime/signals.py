"""SIGTERM and Ctrl-C ask the loop to save and stop; a second Ctrl-C ends the process at once.

SIGTERM may come several times: `paddle.distributed.launch` sends three within a second. Whoever
watches the signals through a wakeup file descriptor, to hurry a command that is asked to end, is
not woken by these.
"""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """A context in which `name` is set once the user or the system asks to stop."""

    def __init__(self) -> None:
        self.name: str | None = None
        self._before: dict[signal.Signals, object] = {}
        self._watched = -1

    def __enter__(self) -> StopRequest:
        self._watched = signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(self._watched)

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.name = signal.Signals(number).name
        before = self._before[signal.SIGINT]
        signal.signal(signal.SIGINT, before)  # type: ignore[arg-type]
