"""How boxes overlap, and where the cells of a pyramid are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def level_centers(size: int, strides: Iterable[int], offset: float = 0.0) -> list[Floats]:
    """x and y in pixels of the cells of each level, row by row: [h * w, 2].

    The first cell of a level is at `offset` of its stride.
    """
    found = []
    for stride in strides:
        side = -(-size // stride)
        ys, xs = np.divmod(np.arange(side * side), side)
        found.append(
            np.stack([xs, ys], 1).astype(np.float32) * stride + np.float32(offset * stride)
        )
    return found


def overlaps(boxes: Floats, others: Floats) -> Floats:
    """Intersection over union of each of the boxes [n, 4] with each of the others [M, 4]: [n, M].

    Boxes are left, top, right, bottom; none may be empty.
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    both = np.maximum(high - low, 0).prod(2)
    either = _areas(boxes)[:, None] + _areas(others)[None] - both
    ratio: Floats = both / either
    return ratio


def distance_overlaps(boxes: Floats, others: Floats) -> Floats:
    """IoU less the squared distance of the centres over that of the common hull's corners: [n, M].

    Source: DIoU, arXiv 1911.08287.
    """
    apart = ((_middles(boxes)[:, None] - _middles(others)[None]) ** 2).sum(2)
    low = np.minimum(boxes[:, None, :2], others[None, :, :2])
    high = np.maximum(boxes[:, None, 2:], others[None, :, 2:])
    found: Floats = overlaps(boxes, others) - apart / ((high - low) ** 2).sum(2)
    return found


def _areas(boxes: Floats) -> Floats:
    area: Floats = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return area


def _middles(boxes: Floats) -> Floats:
    middle: Floats = (boxes[:, :2] + boxes[:, 2:]) / 2
    return middle
