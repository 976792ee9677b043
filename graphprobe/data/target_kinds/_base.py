"""What a kind of target must offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Arrays, Sample

Meta = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of one image after its augmentation.

    Args:
        boxes: float32 [n, 4]: left, top, right, bottom in pixels of the input.
        classes: int32 [n].
        scores: float32 [n]: 1, or the share of its image in a mixture of two.
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.int32]
    scores: NDArray[np.float32]

    @staticmethod
    def of(sample: Sample) -> Objects:
        """All objects of a sample that is as large as the input."""
        boxes, scores = sample.boxes.astype(np.float32), sample.scores.astype(np.float32)
        return Objects(boxes, sample.classes.astype(np.int32), scores)

    def take(self, which: Any) -> Objects:
        """Some of them, by anything that numpy takes for an index."""
        return Objects(self.boxes[which], self.classes[which], self.scores[which])

    def with_area(self) -> Objects:
        """Those whose box is wider and higher than nothing."""
        return self.take((self.boxes[:, 2:] > self.boxes[:, :2]).all(1))


@dataclass(frozen=True, slots=True)
class TargetKind:
    """Arrays of one kind that training compares with; one file in this folder.

    Args:
        name: as its file's.
        meta: keys of the network's settings (`Built.meta`) without which it makes nothing.
        feeds: settings -> the names of the inputs that it makes.
        make: (settings, pixels of the square input, objects of one image) -> an array for
            each of `feeds`; the shapes depend on settings and size alone, and a batch stacks them.
            It runs in the data workers and must give the same for the same arguments.
    """

    name: str
    meta: tuple[str, ...]
    feeds: Callable[[Meta], tuple[str, ...]]
    make: Callable[[Meta, int, Objects], Arrays]
