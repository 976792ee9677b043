"""SIGTERM and Ctrl-C ask the loop to save and stop; a second Ctrl-C ends the process at once.

SIGTERM may come several times: `paddle.distributed.launch` sends three within a second.
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

    def __enter__(self) -> StopRequest:
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

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.name = signal.Signals(number).name
        before = self._before[signal.SIGINT]
        signal.signal(signal.SIGINT, before)  # type: ignore[arg-type]
