"""The head of Generalized Focal Loss (https://arxiv.org/abs/2006.04388), as in PaddleDetection 2.6.

Each of a box's four distances from its cell is a distribution over 17 bins; the class score is
trained to be the box's overlap with the true one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import paddle
from paddle.base.layer_helper import LayerHelper
from paddle.nn.functional import binary_cross_entropy_with_logits, sigmoid, softmax

from graphprobe.losses import batch_count
from graphprobe.zoo._dense import PRIOR_BIAS, Head, centers, one_hot, positives, rows
from graphprobe.zoo._emit import Var, emit
from graphprobe.zoo._fpn import STRIDES, head_conv, tower

BINS = 17
BOX_WEIGHT, BIN_WEIGHT = 2.0, 0.25


def _maps(levels: Sequence[Var], classes: int, channels: int) -> tuple[list[Var], list[Var]]:
    scores, bins = [], []
    for number, level in enumerate(levels, 3):
        looked = tower(level, channels, "cls", norm=True)
        scores.append(head_conv(looked, classes, "head.gfl_head_cls", bias=PRIOR_BIAS))
        boxes = head_conv(tower(level, channels, "reg", norm=True), 4 * BINS, "head.gfl_head_reg")
        factor = _scale(f"head.p{number}_feat.scale_reg")
        bins.append(emit("elementwise_mul", {"X": boxes, "Y": factor}, label="scale_reg"))
    return scores, bins


def _scale(name: str) -> Var:
    """A trained factor, the one parameter that a level has for itself."""
    attr = paddle.ParamAttr(name=name, initializer=paddle.nn.initializer.Constant(1.0))
    return LayerHelper("scale_reg").create_parameter(attr, shape=[1], dtype="float32")


def _targets() -> tuple[Var, ...]:
    return (
        paddle.static.data("point_class", [-1, -1], "int32"),
        paddle.static.data("point_box", [-1, -1, 4], "float32"),
    )


def _losses(
    class_maps: Sequence[Var], box_maps: Sequence[Var], targets: Sequence[Var], classes: int
) -> dict[str, Var]:
    """Quality focal, GIoU and distribution focal loss.

    Args:
        class_maps: [N, C, h, w] a level.
        box_maps: [N, 4 * 17, h, w] a level.
        targets: class of each cell [N, M] (C: background) and its box [N, M, 4] (left, top,
            right, bottom in pixels of the input).
        classes: C.
    """
    labels, boxes = targets
    there = positives(labels, classes)
    logits = rows(class_maps, classes)
    cells, strides = _grid(class_maps)
    bins = paddle.reshape(rows(box_maps, 4 * BINS), [0, -1, 4, BINS])
    wanted, found = boxes / strides, _corners(cells / strides, _expected(bins))
    overlap, giou = _overlaps(found, wanted)
    quality = overlap * there
    quality.stop_gradient = True
    weight = paddle.max(sigmoid(logits), axis=2) * there
    weight.stop_gradient = True
    total = batch_count(paddle.sum(weight))
    focal = _quality_focal(logits, one_hot(labels, classes) * paddle.unsqueeze(quality, 2))
    edges = _bin_loss(bins, _distances(cells / strides, wanted))
    return {
        "loss_qfl": paddle.sum(focal) / batch_count(paddle.sum(there)),
        "loss_bbox": paddle.sum((1.0 - giou) * weight) / total * BOX_WEIGHT,
        "loss_dfl": paddle.sum(edges * weight) / total * (BIN_WEIGHT / 4.0),
    }


def _quality_focal(logits: Var, quality: Var) -> Var:
    """[N, M, C]: cross entropy with the quality, weighted by how far the score is from it."""
    loss = binary_cross_entropy_with_logits(logits, quality, reduction="none")
    return loss * paddle.square(quality - sigmoid(logits))


def _bin_loss(bins: Var, distances: Var) -> Var:
    """[N, M]: cross entropy with the two bins around each distance, summed over the edges.

    Args:
        bins: logits [N, M, 4, 17].
        distances: [N, M, 4] from 0 to 16.
    """
    place = paddle.assign(np.arange(BINS, dtype="float32"))
    wanted = paddle.clip(1.0 - paddle.abs(paddle.unsqueeze(distances, 3) - place), min=0.0)
    wanted.stop_gradient = True
    attrs = {"soft_label": True, "ignore_index": -100, "axis": -1}
    inputs = {"Logits": bins, "Label": wanted}
    extra = [("Softmax", bins.dtype)]
    loss = emit("softmax_with_cross_entropy", inputs, attrs, slot="Loss", extra=extra)
    return paddle.sum(loss, axis=[2, 3])


def _expected(bins: Var) -> Var:
    """[N, M, 4, 17] -> [N, M, 4]: the mean of each distribution, in cells."""
    place = paddle.assign(np.arange(BINS, dtype="float32"))
    return paddle.sum(softmax(bins, axis=3) * place, axis=3)


def _corners(cells: Var, distances: Var) -> Var:
    """Cells [M, 2] and distances [N, M, 4] to their box's edges -> boxes [N, M, 4]."""
    before, after = paddle.split(distances, 2, axis=2)
    return paddle.concat([cells - before, cells + after], axis=2)


def _distances(cells: Var, boxes: Var) -> Var:
    """The inverse of `_corners`, kept inside the bins."""
    low, high = paddle.split(boxes, 2, axis=2)
    return paddle.clip(paddle.concat([cells - low, high - cells], axis=2), 0.0, BINS - 1.1)


def _overlaps(found: Var, wanted: Var) -> tuple[Var, Var]:
    """Intersection over union, and its generalized form (https://arxiv.org/abs/1902.09630)."""
    low, high = paddle.split(found, 2, axis=2)
    true_low, true_high = paddle.split(wanted, 2, axis=2)
    inside = paddle.minimum(high, true_high) - paddle.maximum(low, true_low)
    both = _area(paddle.clip(inside, min=0.0))
    either = _area(high - low) + _area(true_high - true_low) - both + 1e-10
    around = _area(paddle.maximum(high, true_high) - paddle.minimum(low, true_low)) + 1e-10
    overlap = both / either
    return overlap, overlap - (around - either) / around


def _area(sides: Var) -> Var:
    """[N, M, 2] -> [N, M]"""
    return sides[:, :, 0] * sides[:, :, 1]


def _grid(maps: Sequence[Var]) -> tuple[Var, Var]:
    """Cells [M, 2] in pixels and their level's stride [M, 1]."""
    levels = [centers(x, stride) for x, stride in zip(maps, STRIDES, strict=True)]
    sides = [
        paddle.full_like(cells[:, :1], float(stride))
        for cells, stride in zip(levels, STRIDES, strict=True)
    ]
    return paddle.concat(levels, axis=0), paddle.concat(sides, axis=0)


def _decode(class_maps: Sequence[Var], box_maps: Sequence[Var], classes: int) -> tuple[Var, Var]:
    cells, strides = _grid(class_maps)
    bins = paddle.reshape(rows(box_maps, 4 * BINS), [0, -1, 4, BINS])
    boxes = _corners(cells, _expected(bins) * strides)
    return boxes, sigmoid(rows(class_maps, classes))


GFL = Head(
    maps=_maps,
    targets=_targets,
    losses=_losses,
    decode=_decode,
    nms={
        "score_threshold": 0.025,
        "nms_top_k": 1000,
        "keep_top_k": 100,
        "nms_threshold": 0.6,
        "normalized": True,
    },
    meta={"assign": "atss", "cell_scale": 8, "nearest": 9, "bins": BINS},
)
