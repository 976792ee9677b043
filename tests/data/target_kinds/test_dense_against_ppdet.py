"""The same targets from PaddleDetection's own assigners, where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.data.target_kinds import Objects, target_kinds
from graphprobe.data.target_kinds._cells import Cells
from graphprobe.data.target_kinds.anchor import level_anchors

STRIDES = (8, 16, 32, 64, 128)
META = {
    "downsample": list(STRIDES),
    "num_classes": 5,
    "cell_anchors": [
        [[-w / 2, -h / 2, w / 2, h / 2] for w, h in ((4 * s, 4 * s), (6 * s, 3 * s))]
        for s in STRIDES
    ],
    "positive_overlap": 0.5,
    "negative_overlap": 0.4,
    "allow_low_quality": True,
    "cell_scale": 8,
    "nearest": 9,
}


def scene(seed: int, size: int) -> Objects:
    rng = np.random.default_rng(seed)
    sides = size * np.exp(rng.uniform(np.log(0.06), np.log(0.9), (5, 2)))
    corner = rng.uniform(0, size - sides)
    boxes = np.concatenate([corner, corner + sides], 1).astype(np.float32)
    return Objects(boxes, rng.integers(0, 5, 5).astype(np.int32), np.ones(5, np.float32))


@pytest.mark.paddle
@pytest.mark.parametrize("seed", range(4))
def test_anchors(seed: int) -> None:
    target = pytest.importorskip("ppdet.modeling.proposal_generator.target")
    import paddle

    paddle.disable_static()
    try:
        size, objects = 64 + 64 * seed, scene(seed, 64 + 64 * seed)
        anchors, boxes = map(paddle.to_tensor, (level_anchors(size, META), objects.boxes))
        matches, labels = target.label_box(anchors, boxes, 0.5, 0.4, True, -1)
    finally:
        paddle.enable_static()
    owner = objects.classes[matches.numpy()]
    wanted = np.where(labels.numpy() == 1, owner, np.where(labels.numpy() == 0, 5, -1))
    found = target_kinds()["anchor"].make(META, size, objects)["anchor_class"]
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("seed", range(4))
def test_points(seed: int) -> None:
    atss = pytest.importorskip("ppdet.data.transform.atss_assigner")
    size, objects = 64 + 64 * seed, scene(seed, 64 + 64 * seed)
    cells = Cells.of(size, META)
    owner, _ = atss.ATSSAssigner(9)(
        cells.squares, list(cells.counts), objects.boxes, None, objects.classes
    )
    wanted = np.where(owner > 0, objects.classes[owner - 1], 5)
    found = target_kinds()["point"].make(META, size, objects)["point_class"]
    np.testing.assert_array_equal(found, wanted)
