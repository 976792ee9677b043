"""Top-1 and top-5 accuracy of classifications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST = 5


@dataclass(frozen=True, slots=True)
class TopKResult:
    """From 0 to 1: the share of images whose class is the best one, or among the best five.

    `top5` is None where outputs name the best class alone, or there are no more than five. A class
    without an image has None; `classes` are shares of best ones.
    """

    top1: float
    top5: float | None
    classes: tuple[tuple[str, float | None], ...]


class TopK:
    """Counts images by the place of their class among the best ones.

    Args:
        class_names: by index.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self._names = tuple(class_names)
        self._images, self._first = (np.zeros(len(self._names), np.int64) for _ in range(2))
        self._among = 0
        self._ranked = True

    def add(self, best: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]]) -> None:
        """Take a batch in.

        Args:
            best: [N, K], numbers of the best classes, the best first; -1 stands for none of them.
            labels: [N], the true ones.
        """
        right = best[:, :_MOST] == labels[:, None]
        self._ranked &= best.shape[1] >= _MOST
        self._among += int(right.any(1).sum())
        np.add.at(self._images, labels, 1)
        np.add.at(self._first, labels, right[:, 0])

    def result(self) -> TopKResult:
        """The figures of all that was taken in; 0 where nothing was."""
        count = int(self._images.sum()) or 1
        each = zip(self._names, self._first.tolist(), self._images.tolist(), strict=True)
        top5 = self._ranked and len(self._names) > _MOST
        return TopKResult(
            top1=int(self._first.sum()) / count,
            top5=self._among / count if top5 else None,
            classes=tuple((name, right / all_ if all_ else None) for name, right, all_ in each),
        )
