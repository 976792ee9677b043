"""The cells of a pyramid's levels, and what is said of each of them."""

from __future__ import annotations

from collections.abc import Sequence

import paddle

from graphprobe.zoo._emit import Var, emit


def rows(maps: Sequence[Var], width: int) -> Var:
    """[N, A * width, h, w] of each level -> [N, M, width]: level by level, row by row."""
    flat = [paddle.reshape(paddle.transpose(x, [0, 2, 3, 1]), [0, -1, width]) for x in maps]
    return paddle.concat(flat, axis=1)


def centers(x: Var, stride: int, offset: float = 0.0) -> Var:
    """[h * w, 2]: x and y in pixels of the cells of a map, the first at `offset` of a stride."""
    shape = paddle.shape(x)
    ys, xs = paddle.meshgrid(_count(shape[2]), _count(shape[3]))
    grid = paddle.stack([paddle.flatten(xs), paddle.flatten(ys)], axis=1)
    found = paddle.cast(grid, "float32") * float(stride)
    return found + offset * stride if offset else found


def _count(end: Var) -> Var:
    """0, 1, ..., end - 1."""
    start, step = paddle.full([1], 0, "int32"), paddle.full([1], 1, "int32")
    return emit("range", {"Start": start, "End": end, "Step": step})


def to_image(boxes: Var, image: Var, im_size: Var) -> Var:
    """Boxes in pixels of the input -> in pixels of the image before resizing, clipped to it."""
    shape = paddle.cast(paddle.shape(image)[2:4], "float32")
    size = paddle.cast(im_size, "float32")
    factor = paddle.flip(size / shape, axis=[1])
    corner = paddle.flip(size, axis=[1])
    twice = paddle.unsqueeze(paddle.concat([factor, factor], axis=1), 1)
    limit = paddle.unsqueeze(paddle.concat([corner, corner], axis=1), 1)
    return paddle.minimum(paddle.clip(boxes * twice, min=0.0), limit)


def positives(labels: Var, classes: int) -> Var:
    """[N, M] of class numbers -> 1.0 where an object is, else 0.0."""
    object_there = paddle.logical_and(labels >= 0, labels < classes)
    return paddle.cast(object_there, "float32")


def one_hot(labels: Var, classes: int) -> Var:
    """[N, M] -> [N, M, C]; all zero for background and for what is ignored."""
    inside = paddle.where(labels < 0, paddle.full_like(labels, classes), labels)
    return paddle.nn.functional.one_hot(inside, classes + 1)[:, :, :classes]
