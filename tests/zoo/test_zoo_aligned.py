"""Task-aligned assignment against a loop over objects and cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.paddle

SIDE, STRIDE, CLASSES = 8, 8, 3


def _overlap(one: Any, other: Any) -> float:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    both = np.maximum(high - low, 0).prod()
    return float(both / ((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - both + 1e-9))


def _by_hand(scores: Any, found: Any, cells: Any, boxes: Any, labels: Any) -> tuple[Any, Any]:
    """Quality [M, C] and boxes [M, 4] of one image."""
    shared = np.array([[_overlap(box, mine) for mine in found] for box in boxes])
    worth = np.array([scores[:, label] * row**6 for label, row in zip(labels, shared, strict=True)])
    takers: list[set[int]] = [set() for _ in cells]
    for number, (left, top, right, bottom) in enumerate(boxes):
        inside = [m for m, (x, y) in enumerate(cells) if left < x < right and top < y < bottom]
        for m in sorted(inside, key=lambda m: -worth[number, m])[:13]:
            if worth[number, m] > 0:
                takers[m].add(number)
    owner = [
        int(shared[:, m].argmax()) if len(takers[m]) > 1 else next(iter(takers[m]), None)
        for m in range(len(cells))
    ]
    quality, learned = np.zeros((len(cells), CLASSES)), np.zeros((len(cells), 4))
    for m, number in enumerate(owner):
        if number is None:
            continue
        mine = [k for k, other in enumerate(owner) if other == number]
        best = worth[number, mine].max()
        quality[m, labels[number]] = worth[number, m] / best * shared[number, mine].max()
        learned[m] = boxes[number]
    return quality, learned


def test_each_object_teaches_the_cells_that_predict_it_best() -> None:
    import paddle

    from graphprobe.zoo._aligned import assign

    rng = np.random.default_rng(3)
    ys, xs = np.divmod(np.arange(SIDE * SIDE), SIDE)
    cells = np.stack([xs + 0.5, ys + 0.5], 1).astype("float32") * STRIDE
    scores = rng.uniform(0.01, 0.9, (2, len(cells), CLASSES)).astype("float32")
    around = rng.uniform(4, 24, (2, len(cells), 4)).astype("float32")
    found = np.concatenate([cells - around[..., :2], cells + around[..., 2:]], 2)
    # Two that overlap, one of a few cells, one that holds no center, and a row that is none.
    objects = [[4, 4, 44, 44], [20, 20, 60, 60], [40, 6, 54, 16], [1, 1, 3, 3], [0, 0, 0, 0]]
    boxes = np.array([objects, objects[2:] + objects[:1] + [[0, 0, 0, 0]]], "float32")
    labels = np.array([[0, 1, 2, 0, 0], [2, 0, 0, 1, 0]], "int32")
    paddle.enable_static()
    main = paddle.static.Program()
    arrays = {"scores": scores, "found": found, "cells": cells, "boxes": boxes, "labels": labels}
    with paddle.utils.unique_name.guard(), paddle.static.program_guard(main):
        made = assign(*(paddle.static.data(name, a.shape, a.dtype) for name, a in arrays.items()))
    assert made.quality.stop_gradient and made.boxes.stop_gradient and made.weight.stop_gradient
    executor = paddle.static.Executor(paddle.CPUPlace())
    wanted = [made.quality, made.boxes, made.weight]
    quality, learned, weight = executor.run(main, feed=arrays, fetch_list=wanted)
    for image in range(2):
        there = (boxes[image, :, 2:] > boxes[image, :, :2]).all(1)
        expected, owned = _by_hand(
            scores[image], found[image], cells, boxes[image][there], labels[image][there]
        )
        assert (expected > 0).any(1).sum() > 13
        np.testing.assert_allclose(quality[image], expected, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(learned[image], owned)
        np.testing.assert_allclose(weight[image], expected.sum(1), rtol=1e-3, atol=1e-6)
