"""The bar that shows on a terminal how far a run is."""

from __future__ import annotations

import sys
from typing import Any

from graphprobe.training.reporting.progress import duration_text

from ._escape import printable
from ._output import log


class TerminalBar:
    """A bar of rich on standard error; lines for people go above it."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None

    def start(self, total: int, completed: int) -> None:
        """Show the bar: iterations in all, and those done already."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            Task,
            TextColumn,
        )
        from rich.text import Text

        class TimeLeft(ProgressColumn):
            """The remaining time as the log's lines have it: days, where there are some."""

            max_refresh = 0.5

            def render(self, task: Task) -> Text:
                left = task.time_remaining
                return Text("-:--:--" if left is None else duration_text(left))

        columns = (
            BarColumn(20),
            MofNCompleteColumn(),
            TimeLeft(),
            TextColumn("{task.description}"),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=False)
        self._task = self._progress.add_task("", total=total, completed=completed)
        self._progress.start()

    def update(self, completed: int, text: str) -> None:
        """Move it, with a text beside it."""
        self._progress.update(self._task, completed=completed, description=printable(text))

    def stop(self) -> None:
        """Leave it as it is; lines go below it from now on."""
        self._progress.stop()
        self._progress = None

    def log(self, line: str) -> None:
        """Print a line above the bar, or plainly where there is none yet or no more."""
        if self._progress is None:
            log(line)
        else:
            self._progress.console.print(printable(line), markup=False, highlight=False)


def terminal_bar() -> TerminalBar | None:
    """A bar where standard error is a terminal."""
    return TerminalBar() if sys.stderr.isatty() else None
