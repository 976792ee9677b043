"""YOLOv3 targets against cells worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.data.target_kinds import Objects, target_kinds

ANCHORS = [
    (10, 13),
    (16, 30),
    (33, 23),
    (30, 61),
    (62, 45),
    (59, 119),
    (116, 90),
    (156, 198),
    (373, 326),
]
MASKS = [[6, 7, 8], [3, 4, 5], [0, 1, 2]]


def make(boxes, classes=None, scores=None, size=416):
    """Targets of boxes that are given as centre x, y, width, height over the side."""
    boxes = np.array(boxes, np.float64).reshape(-1, 4)
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
    classes = np.zeros(len(boxes)) if classes is None else np.array(classes)
    scores = np.ones(len(boxes)) if scores is None else np.array(scores)
    objects = Objects(
        (corners * size).astype(np.float32), classes.astype(np.int32), scores.astype(np.float32)
    )
    meta = {
        "anchors": ANCHORS,
        "anchor_masks": MASKS,
        "downsample": [32, 16, 8],
        "num_classes": 4,
        "max_boxes": 50,
    }
    found = target_kinds()["yolo"].make(meta, size, objects)
    assert list(found) == ["target0", "target1", "target2"]
    return list(found.values())


def test_one_box_lands_in_one_cell_of_its_best_anchor():
    # 62 x 48 pixels of 416: the anchor 62 x 45 is number 4, second of the middle scale
    grids = make([[0.51, 0.26, 62 / 416, 48 / 416]], classes=[2], scores=[0.7])
    assert [grid.shape for grid in grids] == [(3, 10, 13, 13), (3, 10, 26, 26), (3, 10, 52, 52)]
    assert [int((grid[:, 5] > 0).sum()) for grid in grids] == [0, 1, 0]
    cell = grids[1][1, :, 6, 13]  # 0.26 * 26 = 6.76, 0.51 * 26 = 13.26
    assert cell.tolist() == pytest.approx(
        [0.26, 0.76, 0.0, np.log(48 / 45), 2 - 62 * 48 / 416**2, 0.7, 0, 0, 1, 0], abs=1e-5
    )


def test_padding_and_edges():
    assert not any(grid.any() for grid in make([[0, 0, 0, 0], [0.5, 0.5, 0.1, 0]]))
    assert not any(grid.any() for grid in make([[0.5, 0.5, 0.1, 0.1]], scores=[0]))
    edge = make([[1.0, 1.0, 0.9, 0.9]])
    assert edge[0][2, 5, 12, 12] == 1


def test_two_boxes_of_one_cell_leave_the_later_with_both_classes():
    grids = make([[0.5, 0.5, 0.9, 0.8]] * 2, classes=[0, 3], scores=[0.25, 0.75])
    cell = grids[0][2, :, 6, 6]
    assert cell[5] == 0.75
    assert cell[6:].tolist() == [1, 0, 0, 1]
