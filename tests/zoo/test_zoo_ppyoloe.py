"""PP-YOLOE: names, shapes and losses of PaddleDetection's own model.

The sums and losses are those that ``python tools/ppdet_models.py FOLDER`` tells of PaddleDetection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphprobe.ir import Program
from graphprobe.pairing.find import find_pairs
from graphprobe.zoo import Built
from tools.ppdet_models import digest, ours

pytestmark = pytest.mark.paddle

Models = Callable[[str], Built]
TINY = "scale=0.1&num_classes=3"
# model -> how many names, and the sum over them and their shapes.
PUBLISHED = {
    "ppyoloe_s": (422, "525ad650cd0ddeaa65627ff7a86828b9585473f5d234bbe1959c425997460f84"),
    "ppyoloe_s?plus=true": (
        428,
        "96edb552d3deb7d18f43c188734620ca0b8dd33ddd527d20fb7b5f319d12c59d",
    ),
    "ppyoloe_m": (587, "63c2c9603320d030c11dc1e84abf70d07bc7d58e0bd9ef0cc93fd1793ca867e5"),
    "ppyoloe_x": (917, "f864cdf645e287f261043704d48b7dbde8257eb1f6acd9b5b55b97ac6b9d69fa"),
    "ppyoloe_l": (752, "01eb2683a76213e7215380ec032f5646a29ebba68e4e655e88af23cc5ca435ae"),
}
# PaddleDetection's losses of a narrow ppyoloe_s.
LOSSES = {
    "atss": (137.99119567871094, 2.187531590461731, 1.4418357610702515),
    "aligned": (23.368755340576172, 1.5001437067985535, 1.4201875925064087),
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_parameters_have_the_published_names_and_shapes(built: Models, model: str) -> None:
    found = built(f"zoo:{model}")
    kept = {v.name: tuple(v.shape) for v in found.main.list_vars() if v.persistable}
    assert (len(kept), digest(kept)) == PUBLISHED[model]
    assert not kept.keys() & set(found.meta["left_out"])


def test_losses_are_those_of_paddledetection() -> None:
    found = ours("ppyoloe_s?scale=0.25&num_classes=3", 192)
    for assign, expected in LOSSES.items():
        terms = found["losses"][assign]
        assert list(terms) == ["loss", "loss_vfl", "loss_bbox", "loss_dfl"]
        np.testing.assert_allclose(list(terms.values())[1:], expected, rtol=1e-4)
    assert found["scores"].shape == (2, 3, 6**2 + 12**2 + 24**2)


def test_a_step_of_training_reaches_the_first_convolution(built: Models, run: Any) -> None:
    found = built(f"zoo:ppyoloe_s?{TINY}&plus=true")
    assert found.meta["image_mean"] == [0, 0, 0] and found.meta["image_std"] == [1, 1, 1]
    boxes = np.zeros((2, 100, 4), "float32")
    boxes[:, 0] = [0.5, 0.5, 0.4, 0.6]
    feed = {
        "image": np.random.default_rng(0).random((2, 3, 64, 64), dtype="float32"),
        "gt_bbox": boxes,
        "gt_class": np.ones((2, 100), "int32"),
    }
    factor = "backbone.stages.0.blocks.0.conv2.alpha"
    names = [found.loss, "backbone.stem.conv1.conv.weight@GRAD", f"{factor}@GRAD"]
    loss, *gradients = run(found, feed, names, steps=2)
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() and np.abs(g).max() > 0 for g in gradients)


def test_boxes_come_out_in_pixels_of_the_picture(built: Models) -> None:
    import paddle

    found = built(f"zoo:ppyoloe_s?{TINY}&mode=infer")
    feed = {
        "image": np.random.default_rng(0).random((1, 3, 64, 96), dtype="float32"),
        "im_size": np.array([[100, 200]], "int32"),
    }
    with paddle.static.scope_guard(paddle.static.Scope()):
        executor = paddle.static.Executor(paddle.CPUPlace())
        executor.run(found.startup)
        # A fresh head scores everything 0.01, which is not above the threshold.
        bias = paddle.static.global_scope().find_var("yolo_head.pred_cls.0.bias").get_tensor()
        bias.set(np.zeros(3, "float32"), paddle.CPUPlace())
        names = [found.outputs["bbox"], found.outputs["bbox_num"]]
        boxes, counts = executor.run(found.main, feed=feed, fetch_list=names)
    assert counts.sum() == len(boxes) > 0
    assert boxes[:, 2:].min() >= 0
    assert boxes[:, [2, 4]].max() <= 200 and boxes[:, [3, 5]].max() <= 100


def test_the_heads_and_levels_are_pairs(program: Callable[[str], Program]) -> None:
    student, teacher = (program(f"zoo:ppyoloe_{size}?{TINY}") for size in ("s", "l"))
    heads = find_pairs(student, teacher)
    assert [p.role for p in heads.pairs] == [
        f"dense head {part}, stride {stride}"
        for stride in (32, 16, 8)
        for part in ("class", "distribution")
    ]
    levels = find_pairs(student, teacher, loss="fgd")
    assert [p.role for p in levels.pairs] == [f"neck level, stride {s}" for s in (32, 16, 8)]
