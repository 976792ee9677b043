"""RetinaNet: each anchor learns the object that it overlaps most, or background, or nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Arrays
from graphprobe.data.target_kinds._base import Meta, Objects, TargetKind
from graphprobe.data.target_kinds._overlap import Floats, level_centers, overlaps


def _make(meta: Meta, size: int, objects: Objects) -> Arrays:
    """The targets of one image, anchors level by level, row by row, 9 a cell.

    An anchor is positive where it overlaps an object by `positive_overlap` or more (0.5) and
    background below `negative_overlap` (0.4). With `allow_low_quality` the anchors that overlap
    an object more than all others do are positive at any overlap; they learn the object that
    they themselves overlap most. Source: arXiv 1708.02002 and the settings of
    retinanet_r50_fpn.yml in PaddleDetection 2.6.

    Returns:
        anchor_class int32 [M]: 0 to C - 1, C background, -1 left out; anchor_delta float32 [M, 4]:
        shift of the centre over the anchor's size, log of the change of width and height; 0 where
        an anchor is not positive.
    """
    anchors = level_anchors(size, meta)
    objects = objects.with_area()
    classes = np.full(len(anchors), meta["num_classes"], np.int32)
    deltas = np.zeros((len(anchors), 4), np.float32)
    if len(objects.boxes):
        shared = overlaps(objects.boxes, anchors)
        best, most = shared.argmax(0), shared.max(0)
        positive = most >= meta["positive_overlap"]
        if meta["allow_low_quality"]:
            positive |= _best_of_an_object(shared)
        classes[~positive & (most >= meta["negative_overlap"])] = -1
        classes[positive] = objects.classes[best[positive]]
        deltas[positive] = _deltas(anchors[positive], objects.boxes[best[positive]])
    return {"anchor_class": classes, "anchor_delta": deltas}


def level_anchors(size: int, meta: Meta) -> Floats:
    """All anchors of an input: float32 [M, 4], left, top, right, bottom in pixels."""
    levels = level_centers(size, meta["downsample"])
    found = [
        (np.tile(centers, 2)[:, None] + np.asarray(around, np.float32)[None]).reshape(-1, 4)
        for centers, around in zip(levels, meta["cell_anchors"], strict=True)
    ]
    return np.concatenate(found)


def _best_of_an_object(shared: Floats) -> NDArray[np.bool_]:
    """[n, M] -> [M]: anchors that overlap some object as much as any anchor does."""
    best: NDArray[np.bool_] = ((shared == shared.max(1, keepdims=True)) & (shared > 0)).any(0)
    return best


def _deltas(anchors: Floats, boxes: Floats) -> Floats:
    """What moves anchors onto boxes: [n, 4]."""
    size, wanted = anchors[:, 2:] - anchors[:, :2], boxes[:, 2:] - boxes[:, :2]
    middle, aim = anchors[:, :2] + size / 2, boxes[:, :2] + wanted / 2
    return np.concatenate([(aim - middle) / size, np.log(wanted / size)], 1)


TARGETS = TargetKind(
    "anchor",
    meta=(
        "downsample",
        "num_classes",
        "cell_anchors",
        "positive_overlap",
        "negative_overlap",
        "allow_low_quality",
    ),
    feeds=lambda _: ("anchor_class", "anchor_delta"),
    make=_make,
)
