"""PicoDet: names, shapes and losses of PaddleDetection's own model, and its parts against numpy.

The sums and losses are those that ``python tools/ppdet_models.py FOLDER`` tells of PaddleDetection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphprobe.zoo import Built
from tools.ppdet_models import NARROW, digest, ours

pytestmark = pytest.mark.paddle

Models = Callable[[str], Built]
TINY = "scale=0.05&num_classes=3"
# model -> how many names, and the sum over them and their shapes.
PUBLISHED = {
    "picodet_xs": (442, "5cde64dc4df4f738ca2ed1c134950ba9ae5dc03644fc1ea34a616a2598f4770e"),
    "picodet_s": (442, "f8bc97be09f32a88f46282e0fffb091d9bdfc2d87f65ffdb20c2787efb2b2e04"),
    "picodet_m": (522, "1ded953c8457b880b86a4fde045e8c1f9465bb256ad87a9baa4a66ecf4f65067"),
    "picodet_l": (522, "b22d7c56b94ace336b3ad900ca0cefe6d084dec7dea4aa0814e88f6377fecc75"),
}
# PaddleDetection's losses of a narrow picodet_s.
LOSSES = {
    "atss": (24.128219604492188, 1.2480345964431763, 1.0350788831710815),
    "aligned": (20.054235458374023, 1.172736644744873, 1.0353126525878906),
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_parameters_have_the_published_names_and_shapes(built: Models, model: str) -> None:
    found = built(f"zoo:{model}")
    kept = {v.name: tuple(v.shape) for v in found.main.list_vars() if v.persistable}
    assert (len(kept), digest(kept)) == PUBLISHED[model]
    assert not kept.keys() & set(found.meta["left_out"])


def test_losses_are_those_of_paddledetection() -> None:
    found = ours(f"picodet_s?{NARROW['picodet']}", 192)
    for assign, expected in LOSSES.items():
        terms = found["losses"][assign]
        assert list(terms) == ["loss", "loss_vfl", "loss_bbox", "loss_dfl"]
        np.testing.assert_allclose(list(terms.values())[1:], expected, rtol=1e-4)
    assert found["scores"].shape == (2, 3, 24**2 + 12**2 + 6**2 + 3**2)


def _feed(model: Built, size: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    boxes = np.zeros((2, 100, 4), "float32")
    boxes[:, 0] = [0.5, 0.5, 0.4, 0.6]
    return {
        "image": rng.random((2, 3, size, size), dtype="float32"),
        "gt_bbox": boxes,
        "gt_class": np.ones((2, 100), "int32"),
    }


def test_a_step_of_training_reaches_the_first_convolution(built: Models, run: Any) -> None:
    found = built(f"zoo:picodet_s?{TINY}")
    names = [found.loss, "backbone.conv1.conv.weight@GRAD", "head.cls_align.0.dwconv.weight@GRAD"]
    loss, *gradients = run(found, _feed(found, 64), names, steps=1)
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() and np.abs(g).max() > 0 for g in gradients)


def test_without_objects_only_scores_are_learned(built: Models, run: Any) -> None:
    found = built(f"zoo:picodet_s?{TINY}")
    feed = {**_feed(found, 32), "gt_bbox": np.zeros((2, 100, 4), "float32")}
    scores, boxes, bins = run(
        found, feed, [found.outputs[f"loss_{x}"] for x in ("vfl", "bbox", "dfl")]
    )
    assert scores > 0 and boxes == bins == 0


def test_boxes_come_out_in_pixels_of_the_picture(built: Models) -> None:
    import paddle

    found = built(f"zoo:picodet_s?{TINY}&mode=infer")
    feed = {
        "image": np.random.default_rng(0).random((2, 3, 64, 96), dtype="float32"),
        "im_size": np.array([[100, 200], [50, 60]], "int32"),
    }
    with paddle.static.scope_guard(paddle.static.Scope()):
        executor = paddle.static.Executor(paddle.CPUPlace())
        executor.run(found.startup)
        names = [found.outputs["bbox"], found.outputs["bbox_num"]]
        boxes, counts = executor.run(found.main, feed=feed, fetch_list=names)
    assert counts.sum() == len(boxes) > 0
    first, second = boxes[: counts[0]], boxes[counts[0] :]
    for rows, (height, width) in ((first, (100, 200)), (second, (50, 60))):
        assert rows[:, 2:].min() >= 0
        assert rows[:, [2, 4]].max() <= width and rows[:, [3, 5]].max() <= height
