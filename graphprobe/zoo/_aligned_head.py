"""What PicoDet and PP-YOLOE learn: scores that are the overlap, boxes as distributions.

Losses and settings as in `PicoHeadV2` and `PPYOLOEHead` of PaddleDetection 2.6, which agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import paddle
from paddle.nn.functional import binary_cross_entropy

from graphprobe.losses import batch_count
from graphprobe.zoo._aligned import Assigned, assign, assigned
from graphprobe.zoo._bins import (
    bin_loss,
    corners,
    edge_distances,
    expected,
    grid,
    overlaps,
    split_bins,
)
from graphprobe.zoo._cells import one_hot, rows
from graphprobe.zoo._dense import Head, Maps, cell_targets
from graphprobe.zoo._emit import Var

OFFSET = 0.5  # of a cell's center, in strides
ALPHA, GAMMA = 0.75, 2.0
BOX_WEIGHT, BIN_WEIGHT = 2.5, 0.5
# No image of COCO has more objects.
MOST_OBJECTS = 100


@dataclass(frozen=True, slots=True)
class AlignedHead:
    """What such a head is made of.

    Args:
        strides: of its levels.
        bins: of a distance.
        static: each cell's object is given (ATSS) and does not follow what the network finds.
        rest: what the largest distance keeps from the last bin.
        nms: settings of the suppression.
    """

    strides: tuple[int, ...]
    bins: int
    static: bool
    rest: float
    nms: dict[str, Any]

    def head(self, maps: Maps, pixels: Mapping[str, Any] | None = None) -> Head:
        """The parts that a dense detector is built of.

        Args:
            maps: see `Head`.
            pixels: settings of how images are prepared, where they are others.
        """
        return Head(
            strides=self.strides,
            maps=maps,
            targets=cell_targets if self.static else _object_targets,
            losses=self.losses,
            decode=self.decode,
            nms=self.nms,
            meta={
                "assign": "atss" if self.static else "aligned",
                "max_boxes": MOST_OBJECTS,
                "cell_scale": 5,
                "cell_offset": OFFSET,
                "nearest": 9,
                "bessel": True,
                "bins": self.bins,
                **(pixels or {}),
            },
        )

    def losses(
        self,
        class_maps: Sequence[Var],
        box_maps: Sequence[Var],
        targets: Sequence[Var],
        classes: int,
    ) -> dict[str, Var]:
        """Varifocal, GIoU and distribution focal loss, over the sum of the wanted scores.

        Args:
            class_maps: scores from 0 to 1, [N, C, h, w] a level.
            box_maps: [N, 4 * bins, h, w] a level.
            targets: see `Head`.
            classes: C.
        """
        cells, strides = grid(class_maps, self.strides, OFFSET)
        scores, bins = rows(class_maps, classes), split_bins(box_maps, self.bins)
        found = corners(cells / strides, expected(bins))
        if self.static:
            labels, boxes = targets
            shared, _ = overlaps(found, boxes / strides)
            wanted = assigned(one_hot(labels, classes) * paddle.unsqueeze(shared, 2), boxes)
        else:
            boxes = _corner_boxes(targets[0], class_maps[0], self.strides[0])
            wanted = assign(scores, found * strides, cells, boxes, targets[1])
        near = wanted.boxes / strides
        _, giou = overlaps(found, near)
        edges = bin_loss(bins, edge_distances(cells / strides, near, self.bins, self.rest))
        total = batch_count(paddle.sum(wanted.weight))
        return {
            "loss_vfl": _varifocal(scores, wanted) / total,
            "loss_bbox": paddle.sum((1.0 - giou) * wanted.weight) / total * BOX_WEIGHT,
            "loss_dfl": paddle.sum(edges * wanted.weight) / total * (BIN_WEIGHT / 4.0),
        }

    def decode(
        self, class_maps: Sequence[Var], box_maps: Sequence[Var], classes: int
    ) -> tuple[Var, Var]:
        """Boxes [N, M, 4] in pixels of the input and scores [N, M, C]."""
        cells, strides = grid(class_maps, self.strides, OFFSET)
        boxes = corners(cells, expected(split_bins(box_maps, self.bins)) * strides)
        return boxes, rows(class_maps, classes)


def _object_targets() -> tuple[Var, ...]:
    return (
        paddle.static.data("gt_bbox", [-1, -1, 4], "float32"),
        paddle.static.data("gt_class", [-1, -1], "int32"),
    )


def _corner_boxes(boxes: Var, finest: Var, stride: int) -> Var:
    """Center and size over the image's sides -> left, top, right, bottom in pixels.

    Args:
        boxes: [N, R, 4].
        finest: the map of the finest level, which tells the image's sides.
        stride: of that map.
    """
    sides = paddle.flip(paddle.cast(paddle.shape(finest)[2:4], "float32"), axis=[0]) * float(stride)
    middle, size = paddle.split(boxes, 2, axis=2)
    return paddle.concat([(middle - size / 2.0) * sides, (middle + size / 2.0) * sides], axis=2)


def _varifocal(scores: Var, wanted: Assigned) -> Var:
    """The sum over all cells and classes (https://arxiv.org/abs/2008.13367).

    Cross entropy, weighted by the wanted score where it is above zero, elsewhere by the square of
    the score.
    """
    quality = wanted.quality
    learned = paddle.cast(quality > 0, "float32")
    weight = quality + ALPHA * paddle.pow(scores, GAMMA) * (1.0 - learned)
    return paddle.sum(binary_cross_entropy(scores, quality, reduction="none") * weight)
