"""Which ways through the readers an input takes: the fuzzer keeps inputs that take new ones."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Edges:
    """Tells whether an input took a way through the readers that none took before."""

    def __init__(self) -> None:
        self.seen: set[tuple[object, int, int]] = set()
        self.fresh = False
        self.folder = str(Path(__file__).resolve().parents[1] / "graphprobe")
        self.last = 0
        if sys.version_info >= (3, 12):
            self._monitor()

    def _monitor(self) -> None:
        """Each branch reports once and is then switched off: nearly free."""
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
        monitoring.use_tool_id(monitoring.COVERAGE_ID, "fuzz")

        def on_branch(code: Any, start: int, end: int) -> Any:
            if code.co_filename.startswith(self.folder):
                self._note((code, start, end))
            return monitoring.DISABLE

        monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.BRANCH, on_branch)
        monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.BRANCH)

    def _note(self, edge: tuple[object, int, int]) -> None:
        if edge not in self.seen:
            self.seen.add(edge)
            self.fresh = True

    def run(self, action: Callable[[bytes], bool], data: bytes, traced: bool) -> bool:
        """Run and say afterwards, in `fresh`, whether anything new was reached."""
        self.fresh = False
        if sys.version_info >= (3, 12) or not traced:
            return action(data)
        sys.settrace(self._trace)
        try:
            return action(data)
        finally:
            sys.settrace(None)

    def _trace(self, frame: Any, *_: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(self.folder):
            return None
        self._note((code.co_filename, self.last, frame.f_lineno))
        self.last = frame.f_lineno
        return self._trace
