"""The boxes themselves, padded to a fixed number: what the whole YOLOv3 loss takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Arrays
from graphprobe.data.target_kinds._base import Meta, Objects, TargetKind


def _make(meta: Meta, size: int, objects: Objects) -> Arrays:
    """The objects of one image in the first rows, zeros below; what does not fit is left out.

    Returns:
        gt_bbox float32 [R, 4]: centre x, y, width, height over the input's sides; gt_class
        int32 [R]; gt_score float32 [R], with R = `max_boxes`.
    """
    most = meta["max_boxes"]
    objects = objects.take(slice(most))
    used = len(objects.boxes)
    found: Arrays = {
        "gt_bbox": np.zeros((most, 4), np.float32),
        "gt_class": np.zeros(most, np.int32),
        "gt_score": np.zeros(most, np.float32),
    }
    found["gt_bbox"][:used] = centre_boxes(objects.boxes, size)
    found["gt_class"][:used] = objects.classes
    found["gt_score"][:used] = objects.scores
    return found


def centre_boxes(boxes: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Left, top, right, bottom in pixels -> centre x, y, width, height over the side: [n, 4]."""
    low, high = boxes[:, :2], boxes[:, 2:]
    side = np.float32(size)
    return np.concatenate([(low + high) / 2 / side, (high - low) / side], 1)


TARGETS = TargetKind(
    "boxes",
    meta=("max_boxes",),
    feeds=lambda _: ("gt_bbox", "gt_class", "gt_score"),
    make=_make,
)
