"""The RetinaNet head (https://arxiv.org/abs/1708.02002), as in PaddleDetection 2.6."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import paddle
from paddle.nn.functional import binary_cross_entropy_with_logits

from graphprobe.losses import batch_count
from graphprobe.zoo._cells import centers, one_hot, positives, rows
from graphprobe.zoo._dense import PRIOR_BIAS, Head
from graphprobe.zoo._emit import Var
from graphprobe.zoo._fpn import STRIDES, head_conv, tower

SCALES = (4.0, 4.0 * 2 ** (1 / 3), 4.0 * 2 ** (2 / 3))
RATIOS = (0.5, 1.0, 2.0)
ANCHORS = len(SCALES) * len(RATIOS)
ALPHA, GAMMA = 0.25, 2.0
# The largest log of a size's change, as in the Faster R-CNN code bases.
MAX_LOG = float(np.log(1000.0 / 16.0))


def _maps(levels: Sequence[Var], classes: int, channels: int) -> tuple[list[Var], list[Var]]:
    scores, deltas = [], []
    for level in levels:
        looked = tower(level, channels, "cls", norm=False)
        scores.append(head_conv(looked, ANCHORS * classes, "head.retina_cls", bias=PRIOR_BIAS))
        deltas.append(
            head_conv(tower(level, channels, "reg", norm=False), ANCHORS * 4, "head.retina_reg")
        )
    return scores, deltas


def _targets() -> tuple[Var, ...]:
    return (
        paddle.static.data("anchor_class", [-1, -1], "int32"),
        paddle.static.data("anchor_delta", [-1, -1, 4], "float32"),
    )


def _losses(
    class_maps: Sequence[Var], box_maps: Sequence[Var], targets: Sequence[Var], classes: int
) -> dict[str, Var]:
    """Focal loss of the classes and L1 loss of the boxes, over the number of objects' anchors.

    Args:
        class_maps: [N, A * C, h, w] a level.
        box_maps: [N, A * 4, h, w] a level.
        targets: class of each anchor [N, M] (C: background, -1: ignored) and deltas [N, M, 4].
        classes: C.
    """
    labels, deltas = targets
    there = positives(labels, classes)
    number = batch_count(paddle.sum(there))
    focal = _focal(rows(class_maps, classes), one_hot(labels, classes))
    counted = paddle.unsqueeze(paddle.cast(labels >= 0, "float32"), 2)
    distance = paddle.abs(rows(box_maps, 4) - deltas) * paddle.unsqueeze(there, 2)
    return {
        "loss_cls": paddle.sum(focal * counted) / number,
        "loss_reg": paddle.sum(distance) / number,
    }


def _focal(logits: Var, wanted: Var) -> Var:
    """[N, M, C]: cross entropy, weighted down where the score is right already."""
    score = paddle.nn.functional.sigmoid(logits)
    wrong = score * (1.0 - wanted) + (1.0 - score) * wanted
    balance = (1.0 - ALPHA) * (1.0 - wanted) + ALPHA * wanted
    loss = binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return loss * balance * paddle.pow(wrong, GAMMA)


def cell_anchors(stride: int) -> list[list[float]]:
    """The anchors of a cell at the origin: left, top, right, bottom in pixels."""
    found = []
    for scale in SCALES:
        for ratio in RATIOS:
            width = stride * scale / ratio**0.5
            height = width * ratio
            found.append([-width / 2, -height / 2, width / 2, height / 2])
    return found


def _anchors(x: Var, stride: int) -> Var:
    """[h * w * A, 4] of one level."""
    around = paddle.assign(np.array([cell_anchors(stride)], "float32"))
    cells = centers(x, stride)
    corners = paddle.unsqueeze(paddle.concat([cells, cells], axis=1), 1)
    return paddle.reshape(corners + around, [-1, 4])


def _decode(class_maps: Sequence[Var], box_maps: Sequence[Var], classes: int) -> tuple[Var, Var]:
    levels = [_anchors(x, stride) for x, stride in zip(class_maps, STRIDES, strict=True)]
    low, high = paddle.split(paddle.concat(levels, axis=0), 2, axis=1)
    shift, grow = paddle.split(rows(box_maps, 4), 2, axis=2)
    size = high - low
    middle = low + size / 2.0 + shift * size
    half = size * paddle.exp(paddle.clip(grow, max=MAX_LOG)) / 2.0
    boxes = paddle.concat([middle - half, middle + half], axis=2)
    return boxes, paddle.nn.functional.sigmoid(rows(class_maps, classes))


RETINA = Head(
    strides=STRIDES,
    maps=_maps,
    targets=_targets,
    losses=_losses,
    decode=_decode,
    nms={
        "score_threshold": 0.05,
        "nms_top_k": 1000,
        "keep_top_k": 100,
        "nms_threshold": 0.5,
        "normalized": True,
    },
    meta={
        "assign": "max_iou",
        "positive_overlap": 0.5,
        "negative_overlap": 0.4,
        "allow_low_quality": True,
        "cell_anchors": [cell_anchors(stride) for stride in STRIDES],
    },
)
