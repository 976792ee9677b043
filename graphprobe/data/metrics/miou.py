"""Mean intersection over union of segmentations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import IGNORE


@dataclass(frozen=True, slots=True)
class MiouResult:
    """From 0 to 1: the mean over the classes seen, the share of right pixels, and each class.

    A class that neither the masks nor the outputs hold has None and is left out of the mean.
    """

    miou: float
    accuracy: float
    classes: tuple[tuple[str, float | None], ...]


class Miou:
    """Collects a confusion matrix: rows are the masks' classes, columns the outputs'.

    Args:
        class_names: by index.
        ignore: the value of mask pixels that do not count.
    """

    def __init__(self, class_names: Sequence[str], ignore: int = IGNORE) -> None:
        self._names = tuple(class_names)
        self._ignore = ignore
        self.confusion = np.zeros((len(self._names),) * 2, np.int64)

    def add(self, output: NDArray[np.integer[Any]], mask: NDArray[np.integer[Any]]) -> None:
        """Take one image or a batch in: class numbers of equal shape.

        Raises:
            ValueError: the shapes differ, or a number that counts is outside the classes.
        """
        if output.shape != mask.shape:
            raise ValueError(f"output {output.shape} and mask {mask.shape} differ in shape")
        count = len(self._names)
        kept = mask != self._ignore
        truth, found = mask[kept].astype(np.int64), output[kept].astype(np.int64)
        for name, values in (("mask", truth), ("output", found)):
            if values.size and not 0 <= values.min() <= values.max() < count:
                raise ValueError(f"the {name} holds a class outside 0..{count - 1}")
        pairs = np.bincount(truth * count + found, minlength=count * count)
        self.confusion += pairs.reshape(count, count)

    def result(self) -> MiouResult:
        """The figures of all that was taken in; 0 where nothing was."""
        right = self.confusion.diagonal()
        union = self.confusion.sum(0) + self.confusion.sum(1) - right
        each = [float(r / u) if u else None for r, u in zip(right, union, strict=True)]
        seen = [value for value in each if value is not None]
        total = int(self.confusion.sum())
        return MiouResult(
            miou=sum(seen) / len(seen) if seen else 0.0,
            accuracy=float(right.sum() / total) if total else 0.0,
            classes=tuple(zip(self._names, each, strict=True)),
        )
