"""RetinaNet, GFL, PicoDet and PP-YOLOE from training to export, small, on the embedded scenes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.paddle

MODELS = {
    "retinanet": "zoo:retinanet_r50?num_classes=2&scale=0.05&frozen=false",
    "gfl": "zoo:gfl_r18vd?num_classes=2&scale=0.05&frozen=false",
    "picodet": "zoo:picodet_s?num_classes=2&scale=0.05",
    "ppyoloe": "zoo:ppyoloe_s?num_classes=2&scale=0.05",
}
SCORES = {
    "retinanet": "head.retina_cls.bias",
    "gfl": "head.gfl_head_cls.bias",
    "picodet": "head.head_cls0.bias",
    "ppyoloe": "yolo_head.pred_cls.0.bias",
}
each_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture
def plain(document: Any) -> Any:
    def make(model: str, folder: Path, **train: Any) -> Any:
        augment = {"expand": False, "crop": False, "sizes": [64, 96]}
        settings = {"augment": augment, "max_iters": 4, "snapshot_iter": 2, **train}
        return {**document(folder, **settings), "student": {"program": MODELS[model]}}

    return make


def train(config: Any, resume: str | None = None) -> Any:
    from graphprobe.training.run import run_training

    return run_training(config, where="t.yaml", device="cpu", resume=resume, log=lambda _: None)


def state(folder: Path) -> Any:
    from graphprobe.training.weights.checkpoint import read_checkpoint

    return read_checkpoint(folder / "checkpoints" / "000004")


@pytest.mark.parametrize(
    ("model", "steps"), [("retinanet", 80), ("gfl", 100), ("picodet", 60), ("ppyoloe", 60)]
)
def test_one_batch_is_learned(
    model: str, steps: int, plain: Any, make_config: Any, tmp_path: Path
) -> None:
    import paddle

    from graphprobe.training.assemble import assemble
    from graphprobe.training.feeding.feeding import open_sets, train_batches

    config = make_config(plain(model, tmp_path, clip_norm=10.0))
    parts = assemble(config, paddle.CPUPlace(), where="t.yaml", log=lambda _: None)
    built = parts.student.built
    data = open_sets(config.train, built).train
    batch = train_batches(config.train, data, built).batch(0)
    assert batch.keys() == {name for name, _, _ in built.feeds}
    losses = [parts.engine.step(1, batch, 0.02)["total"] for _ in range(steps)]
    # GFL weighs boxes by their scores, 0.01 at first, so its loss rises before it falls.
    share = 0.85 if model in ("picodet", "ppyoloe") else 0.7
    assert np.median(losses[-5:]) < share * np.median(losses[: steps // 2])


def test_a_resumed_run_of_several_sizes_ends_bit_equal(
    plain: Any, make_config: Any, tmp_path: Path
) -> None:
    model = "gfl"
    result = train(make_config(plain(model, tmp_path / "whole")))
    assert result.value is not None and np.isfinite(result.value)
    train(make_config(plain(model, tmp_path / "parts", max_iters=2, workers=1)))
    train(make_config(plain(model, tmp_path / "parts", workers=1)), resume="auto")
    one, other = state(tmp_path / "whole"), state(tmp_path / "parts")
    for arrays in ("weights", "optimizer"):
        first, second = getattr(one, arrays), getattr(other, arrays)
        assert first.keys() == second.keys()
        for name, array in first.items():
            np.testing.assert_array_equal(array, second[name], err_msg=name)
    lines = (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["iter"] for line in lines] == [1, 2, 3, 4]


@each_model
def test_both_exports_find_the_same_boxes(
    model: str, plain: Any, make_config: Any, same_when_exported: Any, tmp_path: Path
) -> None:
    import paddle

    from graphprobe.training.feeding.feeding import open_validation
    from graphprobe.training.predict import find_objects
    from graphprobe.training.predict_files import draw
    from graphprobe.training.trained import open_trained

    place, folder = paddle.CPUPlace(), tmp_path / "run"
    config = make_config(plain(model, folder, max_iters=1))
    train(config)
    trained = open_trained(config, place, "infer", where="t.yaml")
    # A new network scores every cell 0.01, below the threshold; this one is surer.
    bias = trained.scope.find_var(SCORES[model]).get_tensor()
    bias.set(np.zeros_like(np.array(bias)), place)
    data = open_validation(config.train, trained.built)
    found = next(iter(find_objects(config.train, trained, data, place, threshold=0.3)))
    assert found.marks
    bare = replace(found, marks=())
    assert (draw(found, data.class_names) != draw(bare, data.class_names)).any()
    feed = {
        "image": np.random.default_rng(0).random((2, 3, 64, 96), dtype=np.float32),
        "im_size": np.array([[40, 50], [64, 96]], np.int32),
    }
    for legacy in (False, True):
        same_when_exported(trained, feed, tmp_path, legacy)


@pytest.mark.parametrize(("model", "policy"), [("gfl", "seeds"), ("retinanet", "coupled")])
def test_a_pruned_network_trains(
    model: str, policy: str, plain: Any, make_config: Any, tmp_path: Path
) -> None:
    from graphprobe.emit import prune_config
    from graphprobe.programs import load_program
    from graphprobe.pruning.decisions import find_prunable
    from graphprobe.pruning.ratios import choose

    program = load_program(MODELS[model])
    cut = prune_config(choose(find_prunable(program, policy), 0.3), program, "x").prune
    convs = {name for group in cut.groups for name in group.convs}
    tower = "head.conv_feat.fcos_head_cls_tower_conv_1.conv.weight"
    assert "neck.fpn_6.weight" in convs
    assert (tower in convs) == (policy == "coupled")
    document = {**plain(model, tmp_path / "run", max_iters=2), "kind": "prune"}
    result = train(make_config({**document, "prune": cut.model_dump(mode="json")}))
    assert result.iterations == 2
    names = {
        v.name: v.shape for v in program.parameters if not v.name.endswith(("_mean", "_variance"))
    }
    whole = sum(int(np.prod(shape)) for shape in names.values())
    assert 0 < result.parameters < 0.8 * whole
