"""Boxes as distributions: each distance of an edge from its cell is the mean over some bins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import paddle
from paddle.nn.functional import softmax

from graphprobe.zoo._cells import centers, rows
from graphprobe.zoo._emit import Var, emit


def split_bins(maps: Sequence[Var], count: int) -> Var:
    """[N, 4 * count, h, w] of each level -> [N, M, 4, count]."""
    return paddle.reshape(rows(maps, 4 * count), [0, -1, 4, count])


def expected(bins: Var) -> Var:
    """[N, M, 4, B] -> [N, M, 4]: the mean of each distribution, in cells."""
    place = paddle.assign(np.arange(bins.shape[3], dtype="float32"))
    return paddle.sum(softmax(bins, axis=3) * place, axis=3)


def bin_loss(bins: Var, distances: Var) -> Var:
    """[N, M]: cross entropy with the two bins around each distance, summed over the edges.

    Args:
        bins: logits [N, M, 4, B].
        distances: [N, M, 4] from 0 to B - 1.
    """
    place = paddle.assign(np.arange(bins.shape[3], dtype="float32"))
    wanted = paddle.clip(1.0 - paddle.abs(paddle.unsqueeze(distances, 3) - place), min=0.0)
    wanted.stop_gradient = True
    attrs = {"soft_label": True, "ignore_index": -100, "axis": -1}
    inputs = {"Logits": bins, "Label": wanted}
    extra = [("Softmax", bins.dtype)]
    loss = emit("softmax_with_cross_entropy", inputs, attrs, slot="Loss", extra=extra)
    return paddle.sum(loss, axis=[2, 3])


def corners(cells: Var, distances: Var) -> Var:
    """Cells [M, 2] and distances [N, M, 4] to their box's edges -> boxes [N, M, 4]."""
    before, after = paddle.split(distances, 2, axis=2)
    return paddle.concat([cells - before, cells + after], axis=2)


def edge_distances(cells: Var, boxes: Var, count: int, rest: float = 0.1) -> Var:
    """The inverse of `corners`, kept from 0 to `rest` below the last of `count` bins."""
    low, high = paddle.split(boxes, 2, axis=2)
    return paddle.clip(paddle.concat([cells - low, high - cells], axis=2), 0.0, count - 1.0 - rest)


def overlaps(found: Var, wanted: Var) -> tuple[Var, Var]:
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


def grid(maps: Sequence[Var], strides: Sequence[int], offset: float = 0.0) -> tuple[Var, Var]:
    """Cells [M, 2] in pixels and their level's stride [M, 1]; see `centers` for the offset."""
    levels = [centers(x, stride, offset) for x, stride in zip(maps, strides, strict=True)]
    sides = [
        paddle.full_like(cells[:, :1], float(stride))
        for cells, stride in zip(levels, strides, strict=True)
    ]
    return paddle.concat(levels, axis=0), paddle.concat(sides, axis=0)
