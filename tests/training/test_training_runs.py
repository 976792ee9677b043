"""Whole runs, small: what is written, resumed, refused and measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import CheckpointError, ConfigError, DataError, TrainError

pytestmark = pytest.mark.paddle


@pytest.fixture
def run(make_config: Any) -> Any:
    def run_config(plain: dict[str, Any], resume: str | None = None, log: Any = None) -> Any:
        from graphprobe.training.run import run_training

        lines = log or (lambda _: None)
        config = make_config(plain)
        return run_training(config, where="t.yaml", device="cpu", resume=resume, log=lines)

    return run_config


def losses(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if "loss" in k or k in ("iter", "lr")} for line in lines]


def state(folder: Path, iteration: int) -> Any:
    from graphprobe.training.weights.checkpoint import read_checkpoint

    return read_checkpoint(folder / "checkpoints" / f"{iteration:06d}")


def assert_same_end(one: Path, other: Path, iteration: int = 6) -> None:
    """Two runs ended bit-equal: weights, optimizer and every loss on the way."""
    ends = state(one, iteration), state(other, iteration)
    for arrays in ("weights", "optimizer"):
        first, second = getattr(ends[0], arrays), getattr(ends[1], arrays)
        assert first.keys() == second.keys()
        assert first
        for name, array in first.items():
            np.testing.assert_array_equal(array, second[name], err_msg=name)
    assert losses(one) == losses(other)


def test_a_resumed_run_ends_bit_equal(run: Any, tmp_path: Path, document: Any) -> None:
    run(document(tmp_path / "whole"))
    said: list[str] = []
    run(document(tmp_path / "parts", max_iters=3))
    result = run(document(tmp_path / "parts"), resume="auto", log=said.append)
    assert any("resuming" in line and "iteration 3" in line for line in said)
    assert any("train.max_iters: 3 -> 6" in line for line in said)
    assert result.iterations == 6
    assert [line["iter"] for line in losses(tmp_path / "whole")] == [1, 2, 3, 4, 5, 6]
    assert_same_end(tmp_path / "whole", tmp_path / "parts")


def test_a_stopped_distillation_saves_and_ends_bit_equal(
    run: Any, tmp_path: Path, distillation: Any, teacher_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphprobe.training import loop

    run(distillation(tmp_path / "whole", teacher_run))
    plain = distillation(tmp_path / "parts", teacher_run)
    take = loop._next

    def stop_at_two(batches: Any, iteration: int) -> Any:
        if iteration == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return take(batches, iteration)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_next", stop_at_two)
        stopped = run(plain)
    assert stopped.stopped == "SIGTERM"
    assert stopped.iterations == 2
    assert state(tmp_path / "parts", 2).iteration == 2
    run(plain, resume="auto")
    assert_same_end(tmp_path / "whole", tmp_path / "parts")
    assert set(losses(tmp_path / "whole")[0]) == {
        "iter", "lr", "loss/total", "loss/task", "loss/l2.0", "loss/l2.1", "loss/l2.2"
    }  # fmt: skip


def test_a_stopped_distillation_ends_bit_equal_with_two_threads() -> None:
    """Their number is fixed when paddle is imported; the other tests may have one."""
    test = f"{__file__}::test_a_stopped_distillation_saves_and_ends_bit_equal"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", test]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_a_truncated_checkpoint_falls_back_to_the_one_before(
    run: Any, tmp_path: Path, document: Any
) -> None:
    folder = tmp_path / "run"
    run(document(folder))
    weights = folder / "checkpoints" / "000006" / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:1000])
    before = state(folder, 3)
    said: list[str] = []
    run(document(folder), resume="auto", log=said.append)
    assert any("000006" in line and "before it" in line for line in said)
    assert any(f"resuming {before.path} at iteration 3" in line for line in said)
    assert [line["iter"] for line in losses(folder)] == [1, 2, 3, 4, 5, 6]


def test_what_is_refused(run: Any, tmp_path: Path, document: Any, teacher_run: Path) -> None:
    folder = tmp_path / "run"
    run(document(folder, max_iters=1))
    with pytest.raises(CheckpointError, match=r"already holds a run.*resume='auto'"):
        run(document(folder))
    damaged = folder / "checkpoints" / "000001"
    (damaged / "state.json").write_text("{")
    with pytest.raises(CheckpointError, match="000001: the checkpoint is damaged"):
        run(document(folder), resume=str(damaged))
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        run(document(folder), resume=str(tmp_path / "nowhere"))
    foreign = {**document(tmp_path / "other"), "student": {"program": _student(3)}}
    with pytest.raises(DataError, match=r"has 2 classes.*name the program with num_classes=2"):
        run(foreign)
    loaded = {**document(tmp_path / "other")}
    loaded["student"] = {**loaded["student"], "weights": str(teacher_run)}
    with pytest.raises(CheckpointError, match="of another model: .* missing"):
        run(loaded)
    bound = {**document(tmp_path / "other")}
    bound["student"] = {**bound["student"], "fingerprint": "sha256:" + "0" * 16}
    with pytest.raises(ConfigError, match=r"student\.fingerprint"):
        run(bound)
    assert not (tmp_path / "other").exists()


def _student(classes: int) -> str:
    return f"zoo:yolov3_mobilenet_v1?num_classes={classes}&scale=0.05"


def test_a_loss_that_is_not_finite_stops_and_names_what_is_wrong(
    run: Any, tmp_path: Path, document: Any
) -> None:
    rate = {"base": 1e30, "warmup_steps": 3, "milestones": []}
    with pytest.raises(
        TrainError, match=r"iteration \d: loss total is not finite, first in variable"
    ):
        run(document(tmp_path / "run", learning_rate=rate, snapshot_iter=1))
    good = state(tmp_path / "run", 1)
    assert all(np.isfinite(array).all() for array in good.weights.values())


def test_a_nan_that_relus_hide_is_never_saved(
    run: Any, tmp_path: Path, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphprobe.data.batches import TrainBatches

    make = TrainBatches.batch

    def spoil(self: TrainBatches, number: int) -> Any:
        feed = make(self, number)
        if number == 4:
            feed["image"][0, 0, 0, 0] = np.nan
        return feed

    monkeypatch.setattr(TrainBatches, "batch", spoil)
    with pytest.raises(TrainError, match=r"iteration 6: .* not finite, among them conv1_"):
        run(document(tmp_path / "run"))
    checkpoints = tmp_path / "run" / "checkpoints"
    assert sorted(p.name for p in checkpoints.iterdir()) == ["000003", "latest"]


def test_a_run_keeps_to_its_folder_and_its_best(run: Any, tmp_path: Path, document: Any) -> None:
    folder = tmp_path / "run"
    result = run(document(folder, eval_iter=2, snapshot_iter=1, keep_last=2))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run"]
    kept = sorted(p.name for p in (folder / "checkpoints").iterdir())
    best = (folder / "checkpoints" / "best").read_text().strip()
    assert kept == sorted({"000005", "000006", best, "best", "latest"})
    assert json.loads((folder / "result.json").read_text())["best"] == result.best
    assert (folder / "config.yaml").read_text().startswith("# Training")


def test_weights_of_a_run_begin_another(run: Any, tmp_path: Path, document: Any) -> None:
    first = run(document(tmp_path / "one", max_iters=1))
    plain = document(tmp_path / "two", max_iters=1, learning_rate={"base": 1e-12, "milestones": []})
    plain["student"] = {**plain["student"], "weights": first.output}
    run(plain)
    one, two = state(tmp_path / "one", 1), state(tmp_path / "two", 1)
    trained = [n for n in one.weights if not n.endswith(("_mean", "_variance", ".mean", ".var"))]
    assert len(trained) > 100
    for name in trained:
        np.testing.assert_allclose(two.weights[name], one.weights[name], atol=1e-6, err_msg=name)


def test_the_schedule_is_made_to_fit_the_batch(run: Any, tmp_path: Path, document: Any) -> None:
    said: list[str] = []
    result = run(document(tmp_path / "run", max_iters=3, reference_batch=4), log=said.append)
    assert result.iterations == 6
    assert "  train.max_iters: 3 -> 6" in said
    rates = [line["lr"] for line in losses(tmp_path / "run")]
    assert max(rates) == pytest.approx(5e-5)
    # What is written is what was run: scaling it again changes nothing.
    assert "max_iters: 6" in (tmp_path / "run" / "config.yaml").read_text()
    again = run(document(tmp_path / "run", max_iters=3, reference_batch=4), resume="auto")
    assert again.iterations == 6
