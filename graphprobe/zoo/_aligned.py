"""Targets that follow what a detector finds itself: task-aligned assignment.

Source: TOOD, https://arxiv.org/abs/2108.07755, with the settings of `TaskAlignedAssigner` in
PaddleDetection 2.6. Everything here is [N, R, M] at most, R objects and M cells, without loops.
"""

from __future__ import annotations

from dataclasses import dataclass

import paddle

from graphprobe.zoo._emit import Var

CANDIDATES = 13
OVERLAP_POWER = 6.0
_INSIDE = 1e-9  # how far inside its object a cell's center must be, in pixels


@dataclass(frozen=True, slots=True)
class Assigned:
    """What each cell learns; no gradient flows through it.

    Args:
        quality: [N, M, C]: the score wanted of each class, 0 for background.
        boxes: [N, M, 4]: the object's box, zeros for background.
        weight: [N, M]: the sum of `quality` over the classes.
    """

    quality: Var
    boxes: Var
    weight: Var


def assign(scores: Var, found: Var, cells: Var, boxes: Var, labels: Var) -> Assigned:
    """Give each object the cells inside of it that predict it best.

    A cell's worth for an object is its score of the object's class times the sixth power of the
    overlap. Of the cells whose center is inside the 13 of most worth learn it; a cell of several
    objects learns the one that it overlaps most. The score that it learns is its worth, scaled so
    that the best of an object has the object's largest overlap.

    Args:
        scores: [N, M, C], from 0 to 1.
        found: the boxes that the cells predict, [N, M, 4] in pixels.
        cells: centers [M, 2] in pixels.
        boxes: the objects, [N, R, 4] in pixels; empty ones count as none.
        labels: their classes, [N, R].
    """
    low, high = paddle.split(boxes, 2, axis=2)
    there = paddle.cast(paddle.min(high - low, axis=2) > 0, "float32")
    kinds = paddle.nn.functional.one_hot(labels, scores.shape[2]) * paddle.unsqueeze(there, 2)
    shared = _shared(boxes, found)
    worth = paddle.matmul(kinds, scores, transpose_y=True) * paddle.pow(shared, OVERLAP_POWER)
    reachable = worth * _inside(cells, low, high)
    # A worth of zero would teach a score of zero, as no object does.
    last = paddle.topk(reachable, CANDIDATES, axis=2)[0][:, :, CANDIDATES - 1 :]
    chosen = paddle.cast(paddle.logical_and(reachable >= last, reachable > 0), "float32")
    chosen = _one_object(chosen, shared)
    worth, shared = worth * chosen, shared * chosen
    most = paddle.max(worth, axis=2, keepdim=True)
    scaled = worth / (most + 1e-9) * paddle.max(shared, axis=2, keepdim=True)
    weight = paddle.max(scaled, axis=1)
    quality = paddle.matmul(chosen, kinds, transpose_x=True) * paddle.unsqueeze(weight, 2)
    learned = paddle.matmul(chosen, boxes, transpose_x=True)
    return assigned(quality, learned)


def assigned(quality: Var, boxes: Var) -> Assigned:
    """Targets through which no gradient flows; see `Assigned` for the arguments."""
    weight = paddle.sum(quality, axis=2)
    for target in (quality, boxes, weight):
        target.stop_gradient = True
    return Assigned(quality, boxes, weight)


def _one_object(chosen: Var, shared: Var) -> Var:
    """Where several objects chose a cell, the one alone that it overlaps most."""
    several = paddle.cast(paddle.sum(chosen, axis=1, keepdim=True) > 1, "float32")
    best = paddle.cast(shared >= paddle.max(shared, axis=1, keepdim=True), "float32")
    # Of objects that a cell overlaps alike, the first.
    best = best * paddle.cast(paddle.cumsum(best, axis=1) == 1, "float32")
    return best * several + chosen * (1.0 - several)


def _shared(boxes: Var, found: Var) -> Var:
    """Intersection over union of each object with each prediction: [N, R, M]."""
    low, high = paddle.split(paddle.unsqueeze(boxes, 2), 2, axis=3)
    other_low, other_high = paddle.split(paddle.unsqueeze(found, 1), 2, axis=3)
    sides = paddle.minimum(high, other_high) - paddle.maximum(low, other_low)
    both = _area(paddle.clip(sides, min=0.0))
    return both / (_area(high - low) + _area(other_high - other_low) - both + 1e-9)


def _area(sides: Var) -> Var:
    """[..., 2] -> [...]"""
    return paddle.prod(sides, axis=-1)


def _inside(cells: Var, low: Var, high: Var) -> Var:
    """1.0 where a cell's center is in an object, else 0.0: [N, R, M]."""
    before = paddle.min(cells - paddle.unsqueeze(low, 2), axis=3)
    after = paddle.min(paddle.unsqueeze(high, 2) - cells, axis=3)
    return paddle.cast(paddle.minimum(before, after) > _INSIDE, "float32")
