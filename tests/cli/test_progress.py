"""The bar on a terminal: iterations, and the time left in days where there are some."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from graphprobe_cli._progress import TerminalBar


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-:--:--"), (42.0, "00:00:42"), (2 * 86_400 + 3_723.0, "2 d 01:02:03")],
)
def test_the_time_left(seconds: float | None, text: str) -> None:
    bar = TerminalBar()
    bar.start(10, 0)
    column: Any = next(c for c in bar._progress.columns if type(c).__name__ == "TimeLeft")
    bar.stop()
    assert column.render(SimpleNamespace(time_remaining=seconds)).plain == text


def test_lines_go_above_the_bar_and_below_it_when_it_has_stopped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = TerminalBar()
    bar.start(10, 0)
    bar.update(3, "loss [1.5]")
    bar.log("evaluated")
    bar.stop()
    bar.log("saved")
    text = capsys.readouterr().err
    assert "loss [1.5]" in text or "3/10" in text
    assert text.index("evaluated") < text.index("saved")
