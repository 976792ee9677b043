"""fgd and ld in training: fed from the boxes, their own parameters trained, kept, not exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.config.load import validate
from graphprobe.ir import Program
from graphprobe.programs import load_program

pytestmark = pytest.mark.paddle

OPTIONS = "num_classes=2&scale=0.05&frozen=false"
STRIDES = (8, 16, 32, 64, 128)
Plain = dict[str, Any]


def plain_config(loss: str, output: Path, **train: Any) -> Plain:
    """A config of tiny detectors of one kind, which teach each other at two levels."""
    model = "retinanet_r50" if loss == "fgd" else "gfl_r18vd"
    return {
        "version": 1,
        "kind": "distill",
        "student": {"program": f"zoo:{model}?{OPTIONS}"},
        "teacher": {"program": f"zoo:{model}?{OPTIONS}"},
        "pairs": [pair for stride in (8, 32) for pair in pairs_of(loss, stride)],
        "train": {
            "data": {"train": "digits?count=8&size=64&classes=2", "val": None},
            "augment": {"expand": False, "crop": False},
            "image_size": 64,
            "batch_size": 2,
            "max_iters": 3,
            "learning_rate": {"base": 1e-3, "warmup_steps": 0, "milestones": []},
            "workers": 0,
            "output": str(output),
            **train,
        },
    }


def pairs_of(loss: str, stride: int) -> list[Plain]:
    level = STRIDES.index(stride)
    if loss == "fgd":
        parts = {"": neck_name(level)}
    else:
        # Five convolutions of a class tower and head, then five of the boxes', level by level.
        first = 23 + 8 + 10 * level
        parts = {
            f"{level}.class": f"conv2d_{first + 4}.tmp_1",
            f"{level}.distribution": f"scale_reg_{2 * level + 1}.tmp_0",
        }
    return [
        {
            "student": name,
            "teacher": name,
            "loss": loss,
            "part": part,
            "options": {"stride": stride},
        }
        for part, name in parts.items()
    ]


def neck_name(level: int) -> str:
    return f"conv2d_{53 + 3 + level}.tmp_1"


def load(plain: Plain) -> Any:
    config, problems = validate(plain)
    assert config is not None, problems
    return config


def train(plain: Plain) -> Any:
    from graphprobe.training.run import run_training

    return run_training(
        load(plain), where="c.yaml", device="cpu", resume="auto", log=lambda _: None
    )


def arrays(folder: Path, iteration: int) -> tuple[Plain, Plain]:
    from graphprobe.training.weights.checkpoint import read_checkpoint

    found = read_checkpoint(folder / "checkpoints" / f"{iteration:06d}")
    return found.weights, found.optimizer


@pytest.mark.parametrize("loss", ["fgd", "ld"])
def test_a_check_finds_the_student_reached_and_the_teacher_not(loss: str, tmp_path: Path) -> None:
    import paddle

    from graphprobe.training.check import probe_distillation

    plain = plain_config(loss, tmp_path)
    verdict = probe_distillation(load(plain), paddle.CPUPlace(), where="c.yaml", log=lambda _: None)
    assert verdict.passed, (verdict.problems, [row.problems for row in verdict.rows])
    assert [row.term for row in verdict.rows] == [f"{loss}.{i}" for i in range(2)]
    # At stride 32 none of the small digits may be; a warning says so, and it is no failure.
    idle = [row.term for row in verdict.rows if row.idle]
    assert set(idle) <= {f"{loss}.1"} and (loss == "ld" or not idle)
    assert [w.partition(":")[0] for w in verdict.warnings if "no box" in w] == idle
    for row in verdict.rows:
        # What the loss trains for itself is none of the student's parameters.
        assert row.reached is not None and 0 <= row.reached <= verdict.parameters
        assert row.idle or (row.value is not None and row.value > 0 and row.reached > 0)


def test_the_context_blocks_train_are_kept_and_are_no_weights(tmp_path: Path) -> None:
    plain = plain_config("fgd", tmp_path, snapshot_iter=1, keep_last=9)
    train(plain)
    (first_weights, first), (_, last) = arrays(tmp_path, 1), arrays(tmp_path, 3)
    own = [name for name in last if "_context_" in name and "velocity" not in name]
    assert len(own) == 2 * 16
    assert {name.partition("_")[0] for name in own} == {"fgd.0", "fgd.1"}
    # What is added to all places of a softmax alike changes nothing, so its gradient is noise.
    still = [n for n in own if np.array_equal(first[n], last[n]) and "key_bias" not in n]
    assert still == []
    assert not any("context" in name for name in first_weights)


def test_a_resumed_run_ends_bit_equal(tmp_path: Path) -> None:
    whole = plain_config("fgd", tmp_path / "whole", max_iters=4, snapshot_iter=2)
    train(whole)
    part = plain_config("fgd", tmp_path / "part", max_iters=2, snapshot_iter=2)
    train(part)
    part["train"]["max_iters"] = 4
    train(part)
    for one, other in zip(arrays(tmp_path / "whole", 4), arrays(tmp_path / "part", 4), strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("loss", ["fgd", "ld"])
def test_a_teacher_in_the_inference_engine_teaches_the_same(loss: str, tmp_path: Path) -> None:
    import paddle

    from graphprobe.training.assemble import assemble
    from graphprobe.training.feeding.feeding import open_sets, train_batches

    found = []
    for engine in ("merge", "inference"):
        config = load(plain_config(loss, tmp_path, teacher_engine=engine))
        parts = assemble(config, paddle.CPUPlace(), where="c.yaml", log=lambda _: None)
        sets = open_sets(config.train, parts.student.built)
        feed = train_batches(config.train, sets.train, parts.student.built).batch(0)
        found.append(parts.engine.losses(1, feed))
    assert found[0] == pytest.approx(found[1], rel=1e-3)
    for i in range(2):
        parts = {n: v for n, v in found[0].items() if n.startswith(f"{loss}.{i}/")}
        assert len(parts) == (4 if loss == "fgd" else 3)
        assert found[0][f"{loss}.{i}"] == pytest.approx(sum(parts.values()), rel=1e-5)


def test_adapters_and_blocks_are_not_exported(tmp_path: Path) -> None:
    plain = plain_config("fgd", tmp_path, max_iters=1)
    plain["teacher"]["program"] = plain["teacher"]["program"].replace("0.05", "0.1")
    for pair in plain["pairs"]:
        pair["adapter"] = {"in_channels": 12, "out_channels": 25}
    train(plain)
    weights, optimizer = arrays(tmp_path, 1)
    assert optimizer["adapter0.weights"].shape == (25, 12, 1, 1)
    assert not any(name.startswith(("adapter", "fgd")) for name in weights)
    exported = {var.name for var in export(plain, tmp_path / "export").parameters}
    assert exported and exported <= weights.keys()


def export(plain: Plain, folder: Path) -> Program:
    """The program that an export of a run's student holds."""
    import paddle

    from graphprobe.training.export import export_network
    from graphprobe.training.trained import open_trained

    place = paddle.CPUPlace()
    trained = open_trained(load(plain), place, "infer", where="c.yaml")
    export_network(trained.built, trained.scope, place, folder)
    return load_program(str(folder / "model.pdmodel"))


def test_options_that_cannot_be(tmp_path: Path) -> None:
    from graphprobe.errors import GraphprobeError

    plain = plain_config("fgd", tmp_path)
    plain["pairs"] = [dict(plain["pairs"][0], part=str(i)) for i in range(4)]
    wrong = ({}, {"stride": 8.0}, {"stride": 8, "relation": "5e-6"}, {"stride": 8, "relations": 1})
    for pair, options in zip(plain["pairs"], wrong, strict=True):
        pair["options"] = options
    with pytest.raises(GraphprobeError) as caught:
        train(plain)
    for text in (
        "pairs[0].options.stride: fgd: must be the pixels of the input",
        "pairs[1].options.stride: fgd: must be a whole number, not 8.0",
        "pairs[2].options.relation: fgd: must be a number, not '5e-6'",
        "pairs[3].options.relations: fgd: did you mean relation",
    ):
        assert text in str(caught.value)


def test_a_level_that_the_network_has_not(tmp_path: Path) -> None:
    from graphprobe.errors import DataError

    plain = plain_config("fgd", tmp_path)
    plain["pairs"] = [{**plain["pairs"][0], "options": {"stride": 4}}]
    with pytest.raises(DataError, match="fgd_fg_4, fgd_bg_4"):
        train(plain)
