"""The square around each cell of a pyramid, and how well the nearest ones fit an object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.target_kinds._base import Meta
from graphprobe.data.target_kinds._overlap import Floats, level_centers, overlaps

# Settings that whoever uses these cells needs.
META = ("downsample", "num_classes", "cell_scale", "nearest")


@dataclass(frozen=True, slots=True)
class Cells:
    """One square a cell, its side `cell_scale` times the stride.

    Its center is `cell_offset` of a stride behind the corner of its cell, by default none.

    Args:
        centers: float32 [M, 2], x and y in pixels.
        squares: float32 [M, 4], left, top, right, bottom.
        counts: cells of each level; they sum to M.
    """

    centers: Floats
    squares: Floats
    counts: tuple[int, ...]

    @staticmethod
    def of(size: int, meta: Meta) -> Cells:
        """All cells of a square input of this many pixels."""
        strides: Sequence[int] = meta["downsample"]
        levels = level_centers(size, strides, meta.get("cell_offset", 0.0))
        halves = np.repeat(np.asarray(strides, np.float32), [len(x) for x in levels])[:, None]
        halves *= np.float32(meta["cell_scale"] / 2)
        centers = np.concatenate(levels)
        squares = np.concatenate([centers - halves, centers + halves], 1)
        return Cells(centers, squares, tuple(map(len, levels)))

    def nearest(self, boxes: Floats, count: int) -> NDArray[np.int64]:
        """For each box the `count` cells of each level nearest to its centre: [n, K].

        Of two that are as near, the first counts; a level of fewer cells gives all that it has.
        """
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        apart = ((middles[:, None] - self.centers[None]) ** 2).sum(2)
        ends = np.cumsum(self.counts)
        levels = np.split(apart, ends[:-1], axis=1)
        found = [
            np.argsort(level, axis=1, kind="stable")[:, :count] + end - level.shape[1]
            for level, end in zip(levels, ends, strict=True)
        ]
        return np.concatenate(found, 1)

    def fits(self, boxes: Floats) -> Floats:
        """IoU of each box with each cell's square: [n, M]."""
        return overlaps(boxes, self.squares)
