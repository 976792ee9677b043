"""Runs listed and compared, from folders as `train` writes them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import graphprobe
from graphprobe.errors import GraphprobeError, UsageError


def write_run(
    folder: Path,
    *,
    kind: str = "train",
    iterations: int = 40,
    total: int = 40,
    best: float = 0.5,
    result: dict[str, Any] | None = None,
    **more: Any,
) -> Path:
    """A run's folder; without `result` it was broken off."""
    train = {"max_iters": total, "data": {"train": "digits", "val": "digits?split=val"}}
    config = {"version": 1, "kind": kind, "student": {"program": "zoo:x"}, "train": train, **more}
    checkpoint = folder / "checkpoints" / f"{iterations:06d}"
    checkpoint.mkdir(parents=True)
    state = {
        "config": config,
        "iteration": iterations,
        "metric": "mAP (11 point)",
        "metric_value": best - 0.1,
        "best": best,
        "best_iteration": 20,
    }
    (checkpoint / "state.json").write_text(json.dumps(state))
    (folder / "config.yaml").write_text(json.dumps(config))
    if result is not None:
        document = {
            "iterations": iterations,
            "metric": "mAP (11 point)",
            "value": best - 0.1,
            "best": best,
            "best_iteration": 20,
            "parameters": 64784,
            "megabytes": 0.25,
            "seconds": 90000.0,
            "stopped": None,
            "flops": 1_500_000_000,
            **result,
        }
        (folder / "result.json").write_text(json.dumps(document))
    with (folder / "metrics.jsonl").open("w") as file:
        for i in range(1, iterations + 1):
            file.write(json.dumps({"iter": i, "loss/total": 100.0 / i}) + "\n")
        file.write('{"iter": 41, "loss/to')  # cut by a crash
    lines = [{"iter": i, "metric": "mAP (11 point)", "value": i / 100} for i in (20, 40)]
    (folder / "evaluations.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    top = tmp_path / "runs"
    write_run(top / "alone", result={})
    write_run(top / "alone-2", result={"stopped": "SIGTERM"}, iterations=20)
    write_run(top / "alone-10", iterations=30, best=0.4)
    pruning = {"after": {"flops": 700_000_000, "latency_ms": 3.25}}
    result = {"pruning": pruning}
    write_run(top / "group" / "small", kind="distill", prune="p.yaml", best=0.6, result=result)
    (top / "empty").mkdir()
    (top / "alone" / "infer").mkdir()
    return top


def test_the_section_of_a_pruning_may_have_its_earlier_name(tmp_path: Path) -> None:
    for name in ("pruning", "cut"):
        result = {name: {"after": {"flops": 7, "latency_ms": 3.25}}}
        write_run(tmp_path / name, kind="prune", result=result)
    found = {Path(run.path).name: run for run in graphprobe.list_runs(tmp_path)}
    for run in (found["pruning"], found["cut"]):
        assert (run.flops, run.latency_ms) == (7, 3.25)


def test_what_is_listed(runs: Path) -> None:
    found = graphprobe.list_runs(runs)
    rows = {str(run.path.relative_to(runs)): run for run in found}
    assert list(rows) == ["alone", "alone-2", "alone-10", "group/small"]
    assert [run.state for run in found] == ["done", "stopped", "broken off", "done"]
    assert [run.kind for run in found] == ["alone", "alone", "alone", "pruned, distilled"]
    assert rows["alone"].flops == 1_500_000_000 and rows["alone"].latency_ms is None
    assert rows["alone-10"].best == 0.4 and rows["alone-10"].megabytes is None
    assert rows["group/small"].flops == 700_000_000 and rows["group/small"].latency_ms == 3.25
    assert repr(found) == f"<RunList: 4 runs in {runs}>"
    assert json.dumps(found.to_dict())
    head, table = found.to_rows()
    assert len(table) == 4 and dict(zip(head, table[0], strict=True))["run"] == str(runs / "alone")


def test_a_run_that_is_written_into(runs: Path) -> None:
    from graphprobe.training.weights.run_lock import own_run

    with own_run(runs / "alone"):
        assert [run.state for run in graphprobe.list_runs(runs / "alone")] == ["running"]
    assert [run.state for run in graphprobe.list_runs(runs / "alone")] == ["done"]


def test_a_damaged_run_is_listed(runs: Path) -> None:
    for name in ("config.yaml", "result.json", "checkpoints/000040/state.json"):
        (runs / "alone" / name).write_text("{ [")
    found = graphprobe.list_runs(runs / "alone").runs[0]
    assert found.state == "broken off" and found.iterations == 0 and found.best is None


def test_figures_that_are_none(tmp_path: Path) -> None:
    """A word where a number belongs is not known; the rest of the run is still told."""
    result = {"best": "high", "flops": "many", "parameters": [1], "seconds": {}, "value": None}
    folder = write_run(tmp_path / "runs" / "odd", result=result)
    state = folder / "checkpoints" / "000040" / "state.json"
    state.write_text(state.read_text().replace('"max_iters": 40', '"max_iters": "many"'))
    run = graphprobe.list_runs(tmp_path / "runs").runs[0]
    assert (run.best, run.flops, run.parameters, run.seconds, run.value) == (None,) * 5
    assert (run.total, run.state) == (None, "broken off")
    assert (run.iterations, run.megabytes, run.best_iteration) == (40, 0.25, 20)


def test_curves_without_what_is_no_number(runs: Path) -> None:
    """NaN and infinite values have no place on a curve; those around them do."""
    folder = runs / "alone"
    lines = [{"iter": i, "loss/total": y} for i, y in enumerate((4.0, math.nan, math.inf, 2.0), 1)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = graphprobe.compare_runs([folder, folder])
    assert found.losses[0] == ((1, 4.0), (4, 2.0))
    assert found.render("svg").startswith(b"<svg")


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(GraphprobeError, match="no such folder; name the folder"):
        graphprobe.list_runs(tmp_path / "none")
    assert len(graphprobe.list_runs(tmp_path)) == 0


def test_what_is_compared(runs: Path) -> None:
    found = graphprobe.compare_runs([runs / "alone", str(runs / "group" / "small")])
    assert found.metrics[0] == ((20, 0.2), (40, 0.4))
    assert len(found.losses[0]) == 40 and found.losses[0][-1] == (40, 2.5)
    assert found.warnings == ()
    document = found.to_dict()
    assert document["runs"][1]["evaluations"] == [[20, 0.2], [40, 0.4]]
    assert found.summary().startswith("2 runs: ")


def test_a_long_run_is_averaged(tmp_path: Path) -> None:
    for name in "ab":
        write_run(tmp_path / name, iterations=1000, total=1000, result={})
    points = graphprobe.compare_runs([tmp_path / "a", tmp_path / "b"]).losses[0]
    assert len(points) == 250 and points[0] == (
        4,
        pytest.approx(100 * (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4),
    )


def test_curves_as_pictures(runs: Path, tmp_path: Path) -> None:
    found = graphprobe.compare_runs([runs / "alone", runs / "group" / "small"])
    text = found.render("svg").decode()
    assert text.startswith("<svg") or "<svg" in text
    assert "mAP (11 point)" in text and "total loss" in text and "(pruned, distilled)" in text
    # A curve a run and panel, as a line through all of its points.
    for colour in ("#0072b2", "#d55e00"):
        assert text.count(colour) >= 3
    assert found.save(tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert found.save(tmp_path / "c.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(UsageError, match="must be one of svg, png, pdf"):
        found.save(tmp_path / "c.gif")


def test_other_data_are_warned_of(runs: Path) -> None:
    folder = runs / "alone-2"
    state = folder / "checkpoints" / "000020" / "state.json"
    state.write_text(state.read_text().replace("digits?split=val", "voc:x?split=test"))
    found = graphprobe.compare_runs([runs / "alone", folder])
    assert found.warnings == ("the runs have different data: digits?split=val; voc:x?split=test",)


def test_what_cannot_be_compared(runs: Path) -> None:
    with pytest.raises(UsageError, match="takes two runs or more"):
        graphprobe.compare_runs([runs / "alone"])
    with pytest.raises(GraphprobeError, match="empty: holds no run"):
        graphprobe.compare_runs([runs / "alone", runs / "empty"])
