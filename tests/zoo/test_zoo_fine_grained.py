"""The YOLOv3 loss in elementary ops: published names, and the same loss as the one op's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphprobe.ir import Program
from graphprobe.zoo import Built

pytestmark = pytest.mark.paddle

MODELS = ("zoo:yolov3_mobilenet_v1", "zoo:yolov3_r34")
TINY = "zoo:yolov3_mobilenet_v1?scale=0.05&num_classes=3"
SIZE = 96
Models = Callable[[str], Built]


@pytest.mark.parametrize("model", MODELS)
def test_the_parts_have_the_published_names(program: Callable[[str], Program], model: str) -> None:
    found = program(f"{model}?fine_grained=true")
    slices = [op for op in found.ops if op.type == "strided_slice"]
    assert [op.output("Out") for op in slices] == [f"strided_slice_{i}.tmp_0" for i in range(15)]
    # x, y, w, h, objectness of each scale
    assert [op.get_ints("starts")[0] for op in slices] == [0, 1, 2, 3, 4] * 3
    stacks = {op.output("Y") for op in found.ops if op.type == "stack"}
    turned = [op for op in found.ops if op.type == "transpose2"]
    assert [op.output("Out") for op in turned] == [f"transpose_{i}.tmp_0" for i in range(6)]
    assert [op.input("X") in stacks for op in turned] == [True, False] * 3
    assert all(found.shape(op.output("Out")) == (-1, 3, -1, -1, 20) for op in turned)


@pytest.mark.parametrize("model", MODELS)
def test_shape_alone_tells_nothing(program: Callable[[str], Program], model: str) -> None:
    found = program(f"{model}?fine_grained=true")
    assert sum(v.shape == (-1, 3, -1, -1) for v in found.blocks[0].vars.values()) == 91


def _targets(model: Built, boxes: Any, classes: Any) -> dict[str, Any]:
    """Each box in the cell of its center, under the anchor nearest in shape."""
    anchors = np.array(model.meta["anchors"], float)
    found = {}
    for index, (mask, stride) in enumerate(
        zip(model.meta["anchor_masks"], model.meta["downsample"], strict=True)
    ):
        side = SIZE // stride
        found[f"target{index}"] = target = np.zeros((len(boxes), 3, 9, side, side), "float32")
        for n, b in zip(*np.nonzero(boxes[:, :, 2]), strict=True):
            x, y, w, h = boxes[n, b]
            common = np.minimum(anchors, [w * SIZE, h * SIZE]).prod(axis=1)
            best = int((common / (anchors.prod(axis=1) + w * h * SIZE**2 - common)).argmax())
            if best in mask:
                column, row = int(x * side), int(y * side)
                cell = target[n, mask.index(best), :, row, column]
                cell[:2] = x * side - column, y * side - row
                cell[2:4] = np.log([w * SIZE, h * SIZE] / anchors[best])
                cell[4:6] = 2 - w * h, 1
                cell[6 + classes[n, b]] = 1
    return found


def test_the_loss_is_that_of_the_one_op(built: Models, run: Any) -> None:
    import paddle

    fine, whole = built(f"{TINY}&fine_grained=true"), built(TINY)
    boxes = np.zeros((2, 50, 4), "float32")
    boxes[0, 0] = [0.51, 0.53, 0.4, 0.6]
    boxes[1, :2] = [[0.2, 0.3, 0.1, 0.1], [0.71, 0.6, 0.3, 0.2]]
    classes = np.zeros((2, 50), "int32")
    classes[1, 1] = 2
    feed = {
        "image": np.random.default_rng(0).random((2, 3, SIZE, SIZE), dtype="float32"),
        "gt_bbox": boxes,
        "gt_class": classes,
        "gt_score": (boxes[:, :, 2] > 0).astype("float32"),
    }
    assert fine.loss is not None and whole.loss is not None
    with paddle.static.scope_guard(paddle.static.Scope()):
        executor = paddle.static.Executor(paddle.CPUPlace())
        executor.run(fine.startup)
        terms = executor.run(
            fine.main,
            feed={**feed, **_targets(fine, boxes, classes)},
            fetch_list=list(fine.outputs.values()),
        )
        (expected,) = executor.run(whole.main, feed=feed, fetch_list=[whole.loss])
    named = dict(zip(fine.outputs, terms, strict=True))
    loss = named.pop("loss")
    assert set(named) == {"loss_xy", "loss_wh", "loss_obj", "loss_cls"}
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    np.testing.assert_allclose(loss, sum(named.values()), rtol=1e-6)


def test_gradients_flow(built: Models, run: Any) -> None:
    fine = built(f"{TINY}&fine_grained=true")
    boxes = np.full((1, 50, 4), 0.5, "float32")
    boxes[:, 1:] = 0
    classes = np.zeros((1, 50), "int32")
    feed = {
        "image": np.random.default_rng(0).random((1, 3, SIZE, SIZE), dtype="float32"),
        "gt_bbox": boxes,
        "gt_class": classes,
        "gt_score": np.ones((1, 50), "float32"),
        **_targets(fine, boxes, classes),
    }
    (before,) = run(fine, feed, [fine.loss])
    (after,) = run(fine, feed, [fine.loss], steps=8)
    assert after < before


def test_targets_follow_the_size(built: Models) -> None:
    shapes = {name: shape for name, shape, _ in built(f"{TINY}&fine_grained=true&size=96").feeds}
    assert shapes["target0"] == (-1, 3, 9, 3, 3)
    assert shapes["target2"] == (-1, 3, 9, 12, 12)
