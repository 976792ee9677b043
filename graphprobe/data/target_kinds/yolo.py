"""The grids that YOLOv3 in elementary ops is compared with, made from boxes and anchors alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Arrays
from graphprobe.data.target_kinds._base import Meta, Objects, TargetKind
from graphprobe.data.target_kinds.boxes import centre_boxes

Floats = NDArray[np.float32]


def _make(meta: Meta, size: int, objects: Objects) -> Arrays:
    """The targets of one image.

    The 6 + C planes of an anchor are: x and y of the centre in its cell (0 to 1), log of
    width and height over the anchor's, 2 - w * h of the normalised box (the box's weight),
    the score (0 where there is no object), and a one for the class. Each box is learned by the
    anchor whose shape is nearest to its own. Source: arXiv 1804.02767; the layout of the
    `yolov3_loss` fine-grained form in PaddleDetection 0.x.

    Returns:
        target0, target1, ...: float32 [anchors of the scale, 6 + C, cells, cells].
    """
    objects = objects.take(slice(meta["max_boxes"]))
    boxes = centre_boxes(objects.boxes, size)
    anchors = np.asarray(meta["anchors"], np.float32)
    grids = [
        np.zeros((len(mask), 6 + meta["num_classes"], size // stride, size // stride), np.float32)
        for mask, stride in zip(meta["anchor_masks"], meta["downsample"], strict=True)
    ]
    bests = _shape_overlaps(boxes[:, 2:] * size, anchors).argmax(1)
    for box, label, score, best in zip(boxes, objects.classes, objects.scores, bests, strict=True):
        if box[2] <= 0 or box[3] <= 0 or score <= 0:
            continue
        for grid, mask in zip(grids, meta["anchor_masks"], strict=True):
            if best in mask:
                _write(grid[mask.index(best)], size, box, int(label), score, anchors[best])
    return {f"target{scale}": grid for scale, grid in enumerate(grids)}


def _shape_overlaps(sizes: Floats, anchors: Floats) -> Floats:
    """IoU of boxes and anchors laid corner on corner: [n, anchors]."""
    shared = np.minimum(sizes[:, None], anchors[None]).prod(2)
    areas = sizes.prod(1)[:, None] + anchors.prod(1)[None]
    ratio: Floats = shared / np.maximum(areas - shared, 1e-9)
    return ratio


def _write(
    planes: Floats, size: int, box: Floats, label: int, score: np.float32, anchor: Floats
) -> None:
    cells = planes.shape[-1]
    column = min(int(box[0] * cells), cells - 1)
    row = min(int(box[1] * cells), cells - 1)
    cell = planes[:, row, column]
    cell[0] = box[0] * cells - column
    cell[1] = box[1] * cells - row
    cell[2:4] = np.log(box[2:] * size / anchor)
    cell[4] = 2.0 - box[2] * box[3]
    cell[5] = score
    cell[6 + label] = 1.0


TARGETS = TargetKind(
    "yolo",
    meta=("max_boxes", "anchors", "anchor_masks", "downsample", "num_classes"),
    feeds=lambda meta: tuple(f"target{scale}" for scale in range(len(meta["downsample"]))),
    make=_make,
)
