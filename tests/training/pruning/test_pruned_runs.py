"""Pruning as a run: cut once, trained, resumed, measured, exported; alone and under a teacher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.errors import CheckpointError, ConfigError

pytestmark = pytest.mark.paddle


def section(program: str, keep: str | None = None) -> dict[str, Any]:
    """Half of every group's channels but those that `keep` matches, as a config has it."""
    import re

    from graphprobe.emit import prune_config
    from graphprobe.programs import load_program
    from graphprobe.pruning.decisions import find_prunable
    from graphprobe.pruning.ratios import Limits, choose

    read = load_program(program)
    limits = Limits(keep=re.compile(keep) if keep else None)
    choice = choose(find_prunable(read, "coupled"), 0.5, limits=limits)
    made = prune_config(choice, read, program).prune.model_dump(mode="json")
    return dict(made)


def train(make_config: Any, plain: dict[str, Any], resume: str | None = None) -> Any:
    from graphprobe.training.run import run_training

    config = make_config(plain)
    return run_training(config, where="p.yaml", device="cpu", resume=resume, log=lambda _: None)


def pruning(document: Any, output: Path, weights: Path, **settings: Any) -> dict[str, Any]:
    plain = {**document(output, **settings), "kind": "prune"}
    plain["student"] = {**plain["student"], "weights": str(weights)}
    return {**plain, "prune": section(plain["student"]["program"])}


@pytest.fixture(scope="module")
def whole(make_config: Any, document: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the network before its cut."""
    folder = tmp_path_factory.mktemp("whole")
    train(make_config, document(folder, max_iters=2))
    return folder


@pytest.fixture(scope="module")
def cut_run(
    make_config: Any, document: Any, whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """A config of kind prune, its result, and its folder after six steps."""
    folder = tmp_path_factory.mktemp("cut")
    plain = pruning(document, folder, whole)
    return make_config(plain), train(make_config, plain), folder


def checkpoint(folder: Path, iteration: int = 6) -> Any:
    from graphprobe.training.weights.checkpoint import read_checkpoint

    return read_checkpoint(folder / "checkpoints" / f"{iteration:06d}")


def test_the_last_table_has_both_networks(cut_run: Any, whole: Path) -> None:
    config, result, folder = cut_run
    before, after = result.pruning.before, result.pruning.after
    whole_result = json.loads((whole / "result.json").read_text())
    assert before.parameters == whole_result["parameters"] > after.parameters == result.parameters
    assert before.megabytes == pytest.approx(whole_result["megabytes"])
    assert after.megabytes == pytest.approx(result.megabytes)
    assert before.value == whole_result["value"] and after.value == result.value
    assert after.flops < 0.4 * before.flops
    assert min(before.latency_ms, after.latency_ms) > 0
    written = json.loads((folder / "result.json").read_text())["pruning"]
    assert written["after"]["flops"] == after.flops
    names = [row[0] for row in result.pruning.rows(result.metric)]
    assert names == ["multiply-adds", "parameters", "size", "latency", "mAP (11 point)"]
    assert config.train.output == result.output


def test_flops_are_paddleslims(cut_run: Any) -> None:
    """The cut network's multiply-adds as PaddleSlim counts them on the program that was cut."""
    import paddle
    from paddleslim.analysis import flops

    from graphprobe.training.networks.build import plan_of
    from graphprobe.training.networks.source import Networks

    config, result, folder = cut_run
    plan = plan_of(checkpoint(folder).state["prune"], "")
    main = Networks().source(config.student.program).pruned("infer", plan).main
    block = main.global_block()
    block.var("image").desc.set_shape([1, 3, 32, 32])
    with paddle.static.program_guard(main):
        for op in block.ops:
            op.desc.infer_shape(block.desc)
    counted = flops(main, only_conv=True, detail=False)
    assert counted == pytest.approx(result.pruning.after.flops, rel=0.01)


def test_a_checkpoint_holds_the_cut_and_a_resumed_run_ends_bit_equal(
    cut_run: Any, make_config: Any, document: Any, whole: Path, tmp_path: Path
) -> None:
    _, result, folder = cut_run
    plain = pruning(document, tmp_path, whole)
    train(make_config, {**plain, "train": {**plain["train"], "max_iters": 3}})
    again = train(make_config, plain, resume="auto")
    from graphprobe.pruning.plan_json import plan_from_json

    ends = checkpoint(folder), checkpoint(tmp_path)
    assert ends[0].state["prune"] == ends[1].state["prune"]
    for kind in ("weights", "optimizer"):
        one, two = getattr(ends[0], kind), getattr(ends[1], kind)
        assert one.keys() == two.keys() and one
        for name, array in one.items():
            np.testing.assert_array_equal(array, two[name], err_msg=name)
    axes = plan_from_json(ends[0].state["prune"]).axes
    assert axes
    for name, cuts in axes.items():
        for axis, (size, kept) in cuts.items():
            assert ends[0].weights[name].shape[axis] == len(kept) < size
    assert again.pruning.before == _as(again.pruning.before, result.pruning.before)


def _as(mine: Any, other: Any) -> Any:
    """The other's figures with the time of mine, which is never the same twice."""
    from dataclasses import replace

    return replace(other, latency_ms=mine.latency_ms)


def open_for(config: Any, mode: str, **options: Any) -> Any:
    import paddle

    from graphprobe.training.trained import open_trained

    return open_trained(config, paddle.CPUPlace(), mode, where="p.yaml", **options)


def test_evaluation_replays_the_cut(cut_run: Any) -> None:
    import paddle

    from graphprobe.training.evaluate import make_evaluator
    from graphprobe.training.feeding.feeding import open_validation

    config, result, _ = cut_run
    found = open_for(config, "eval")
    data = open_validation(config.train, found.built)
    place = paddle.CPUPlace()
    assert make_evaluator(config.train, found.built, data, place).run(found.scope).value == (
        result.value
    )


@pytest.mark.parametrize("legacy", [False, True])
def test_exports_give_the_trained_output(
    cut_run: Any, same_when_exported: Any, tmp_path: Path, legacy: bool
) -> None:
    config, _, folder = cut_run
    trained = open_for(config, "infer")
    feed = {
        "image": np.random.default_rng(0).random((2, 3, 32, 32), dtype=np.float32),
        "im_size": np.array([[40, 50], [32, 32]], np.int32),
    }
    program = same_when_exported(trained, feed, tmp_path, legacy)
    cut = checkpoint(folder).weights["conv2_1_sep_weights"].shape
    assert tuple(program.global_block().var("conv2_1_sep_weights").shape) == cut


def test_pictures_are_run_through_the_cut_network(cut_run: Any, tmp_path: Path) -> None:
    import paddle
    from PIL import Image

    from graphprobe.data.image_files import ImageFolder, find_images
    from graphprobe.training.predict import find_objects

    config, _, _ = cut_run
    Image.new("RGB", (50, 40), (200, 30, 30)).save(tmp_path / "red.png")
    data = ImageFolder(find_images([tmp_path / "red.png"]), ("0", "1"), "detection")
    trained = open_for(config, "infer")
    (found,) = find_objects(config.train, trained, data, paddle.CPUPlace(), threshold=0.0)
    assert found.marks and found.sample.size == (40, 50)


def test_a_cut_is_made_once(cut_run: Any, make_config: Any, document: Any, tmp_path: Path) -> None:
    _, _, folder = cut_run
    with pytest.raises(ConfigError, match=r"student\.weights: .* has been pruned already"):
        train(make_config, pruning(document, tmp_path / "twice", folder))
    # Weights that were cut begin another run, which replays their cut.
    plain = document(tmp_path / "on", max_iters=1)
    plain["student"] = {**plain["student"], "weights": str(folder)}
    result = train(make_config, plain)
    assert checkpoint(tmp_path / "on", 1).state["prune"] == checkpoint(folder).state["prune"]
    assert result.pruning.before.value is None and result.pruning.after.value is not None
    # An export knows nothing of the pruning, so it is of another model.
    bad = open_for(cut_run[0], "infer")
    import paddle

    from graphprobe.training.export import export_network

    export_network(bad.built, bad.scope, paddle.CPUPlace(), tmp_path / "export")
    with pytest.raises(CheckpointError, match="of another shape"):
        open_for(cut_run[0], "infer", weights=str(tmp_path / "export"))
