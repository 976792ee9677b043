"""Lines of progress come as time goes by, and not with every call."""

from __future__ import annotations

import time

import pytest

from graphprobe.training.reporting.progress import EVERY, now_and_then


def test_a_line_is_passed_on_every_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((0.0, 0.5, EVERY, EVERY + 1, 2 * EVERY))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    said: list[str] = []
    tell = now_and_then(said.append)
    for line in "abcd":
        tell(line)
    assert said == ["b", "d"]
