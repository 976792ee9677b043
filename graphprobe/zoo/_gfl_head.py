"""The head of Generalized Focal Loss (https://arxiv.org/abs/2006.04388), as in PaddleDetection 2.6.

Each of a box's four distances from its cell is a distribution over 17 bins; the class score is
trained to be the box's overlap with the true one.
"""

from __future__ import annotations

from collections.abc import Sequence

import paddle
from paddle.base.layer_helper import LayerHelper
from paddle.nn.functional import binary_cross_entropy_with_logits, sigmoid

from graphprobe.losses import batch_count
from graphprobe.zoo._bins import (
    bin_loss,
    corners,
    edge_distances,
    expected,
    grid,
    overlaps,
    split_bins,
)
from graphprobe.zoo._cells import one_hot, positives, rows
from graphprobe.zoo._dense import PRIOR_BIAS, Head, cell_targets
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
    cells, strides = grid(class_maps, STRIDES)
    bins = split_bins(box_maps, BINS)
    wanted, found = boxes / strides, corners(cells / strides, expected(bins))
    overlap, giou = overlaps(found, wanted)
    quality = overlap * there
    quality.stop_gradient = True
    weight = paddle.max(sigmoid(logits), axis=2) * there
    weight.stop_gradient = True
    total = batch_count(paddle.sum(weight))
    focal = _quality_focal(logits, one_hot(labels, classes) * paddle.unsqueeze(quality, 2))
    edges = bin_loss(bins, edge_distances(cells / strides, wanted, BINS))
    return {
        "loss_qfl": paddle.sum(focal) / batch_count(paddle.sum(there)),
        "loss_bbox": paddle.sum((1.0 - giou) * weight) / total * BOX_WEIGHT,
        "loss_dfl": paddle.sum(edges * weight) / total * (BIN_WEIGHT / 4.0),
    }


def _quality_focal(logits: Var, quality: Var) -> Var:
    """[N, M, C]: cross entropy with the quality, weighted by how far the score is from it."""
    loss = binary_cross_entropy_with_logits(logits, quality, reduction="none")
    return loss * paddle.square(quality - sigmoid(logits))


def _decode(class_maps: Sequence[Var], box_maps: Sequence[Var], classes: int) -> tuple[Var, Var]:
    cells, strides = grid(class_maps, STRIDES)
    bins = split_bins(box_maps, BINS)
    boxes = corners(cells, expected(bins) * strides)
    return boxes, sigmoid(rows(class_maps, classes))


GFL = Head(
    strides=STRIDES,
    maps=_maps,
    targets=cell_targets,
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
