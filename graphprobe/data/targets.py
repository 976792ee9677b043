"""The training targets of YOLOv3, made from boxes and anchors alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class YoloTargets:
    """What a YOLOv3 head is compared with, one array a scale.

    Args:
        anchors: width and height in pixels of the input, of all scales.
        masks: for each scale, the indices of its anchors.
        strides: for each scale, the pixels of a cell, as 32, 16, 8.
        class_count: C.
        iou_threshold: anchors whose shape overlaps a box more than this learn it too; 1 leaves
            each box to its best anchor.
    """

    anchors: Sequence[tuple[float, float]]
    masks: Sequence[Sequence[int]]
    strides: Sequence[int]
    class_count: int
    iou_threshold: float = 1.0

    def make(
        self, size: int, boxes: Floats, classes: NDArray[np.int32], scores: Floats
    ) -> list[Floats]:
        """The targets of one picture.

        The 6 + C planes of an anchor are: x and y of the centre in its cell (0 to 1), log of
        width and height over the anchor's, 2 - w * h of the normalised box (the box's weight),
        the score (0 where there is no object), and a one for the class. Source: arXiv 1804.02767;
        the layout of the `yolov3_loss` fine-grained form in PaddleDetection 0.x.

        Args:
            size: pixels of the square input.
            boxes: float32 [n, 4], centre x, y, width, height, each over the picture's sides.
            classes: int32 [n].
            scores: float32 [n].

        Returns:
            float32 [anchors of the scale, 6 + C, cells, cells] a scale.
        """
        grids = [
            np.zeros((len(mask), 6 + self.class_count, size // stride, size // stride), np.float32)
            for mask, stride in zip(self.masks, self.strides, strict=True)
        ]
        anchors = np.asarray(self.anchors, np.float32)
        overlaps = _shape_overlaps(boxes[:, 2:] * size, anchors)
        for box, label, score, overlap in zip(boxes, classes, scores, overlaps, strict=True):
            if box[2] <= 0 or box[3] <= 0 or score <= 0:
                continue
            best = int(overlap.argmax())
            for grid, mask in zip(grids, self.masks, strict=True):
                for place, anchor in enumerate(mask):
                    if anchor == best or overlap[anchor] > self.iou_threshold:
                        _write(grid[place], size, box, int(label), score, anchors[anchor])
        return grids


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
