"""Lines of progress come as time goes by, and not with every call."""

from __future__ import annotations

import time

import pytest

from graphprobe.training.reporting.progress import EVERY, throttle


def test_a_line_is_passed_on_every_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((0.0, 0.5, EVERY, EVERY + 1, 2 * EVERY))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    lines: list[str] = []
    log = throttle(lines.append)
    for line in "abcd":
        log(line)
    assert lines == ["b", "d"]
