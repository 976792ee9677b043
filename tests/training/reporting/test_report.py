from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphprobe.training.reporting.metrics_log import keep_lines
from graphprobe.training.reporting.report import Reporter, Step


def step(iteration: int) -> Step:
    return Step(iteration, 0.01, {"total": 2.0, "task": 1.5, "l2": 0.5}, 8, 0.5, 0.1)


def test_lines_for_people_and_for_machines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "metrics.jsonl"
    shown: list[str] = []
    with Reporter(log, total=4, start=0, log_iter=2, log=shown.append) as report:
        for iteration in (1, 2, 3, 4):
            report.step(step(iteration))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["iter"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["loss/l2"] == 0.5
    assert len(shown) == 2
    assert "iter 2/4" in shown[0]
    assert "eta 00:00:01" in shown[0]
    assert "task 1.5  l2 0.5  16.0 img/s  data 20.0%" in shown[0]
    assert capsys.readouterr() == ("", "")


def test_a_bar_takes_the_place_of_the_lines(tmp_path: Path) -> None:
    shown: list[str] = []
    moves: list[tuple[int, ...]] = []

    class Bar:
        def start(self, total: int, completed: int) -> None:
            moves.append((total, completed))

        def update(self, completed: int, text: str) -> None:
            assert text.startswith("lr 0.01  total 2")
            moves.append((completed,))

        def stop(self) -> None:
            moves.append(())

    path = tmp_path / "metrics.jsonl"
    with Reporter(path, total=3, start=1, log_iter=1, log=shown.append, bar=Bar()) as report:
        report.step(step(2))
        report.metric(2, "mAP", 0.5)
    assert moves == [(3, 1), (2,), ()]
    assert shown == ["iter 2: mAP 0.5000"]


def test_a_resumed_run_has_each_step_once(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"iter": 1}\n{"iter": 2}\n{"iter": 3}\n{"it')
    keep_lines(log, 2)
    assert log.read_text() == '{"iter": 1}\n{"iter": 2}\n'
    with Reporter(log, total=3, start=2, log_iter=10) as report:
        report.step(step(3))
    assert [json.loads(line)["iter"] for line in log.read_text().splitlines()] == [1, 2, 3]
