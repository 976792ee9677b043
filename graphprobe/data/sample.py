"""What every data set gives: samples, and a list of them that can be indexed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

# Arrays by name, and what a program is fed.
Arrays: TypeAlias = dict[str, NDArray[Any]]
Feed: TypeAlias = Mapping[str, NDArray[Any]]

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

# The value of a mask's pixels that neither train nor count.
IGNORE = 255


@dataclass(frozen=True, slots=True)
class Sample:
    """One image with what is known about it.

    Args:
        name: what messages call it: the file's stem, or ``digits-train-17``.
        image: uint8 [H, W, 3], RGB.
        boxes: float32 [n, 4]: x1, y1, x2, y2 in pixels; x2 and y2 are the far edges, so that
            x2 - x1 is the width.
        classes: int64 [n], indices into the data set's `class_names`.
        difficult: bool [n]: objects that an evaluation leaves out.
        crowd: bool [n]: regions of many objects; they are difficult, and never learned from.
        scores: float32 [n]: 1, or the share of its image in a mixture of two.
        areas: float64 [n]: pixels inside each object's outline where the data have it, else None;
            COCO AP sorts objects into small, medium and large by it.
        label: the class of the whole image, for classification; else None.
        arrays: what a program is fed, by the names of its inputs and without a batch axis; the
            image is empty then. Else None.
        mask: uint8 [H, W], a class a pixel and 255 where none is known; None for detection.
    """

    name: str
    image: Image
    boxes: Floats
    classes: Integers
    difficult: Flags
    scores: Floats
    mask: Image | None = None
    areas: NDArray[np.float64] | None = None
    crowd: Flags | None = None
    label: int | None = None
    arrays: Mapping[str, NDArray[Any]] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.image.shape[0], self.image.shape[1]


def detection_sample(
    name: str,
    image: Image,
    boxes: Any,
    classes: Any,
    difficult: Any = None,
    areas: Any = None,
    crowd: Any = None,
) -> Sample:
    """A sample from plain lists, with every array in its documented shape and type."""
    found = np.asarray(boxes, np.float32).reshape(-1, 4)
    count = len(found)
    hard = np.zeros(count, np.bool_) if difficult is None else np.asarray(difficult, np.bool_)
    return Sample(
        name=name,
        image=image,
        boxes=found,
        classes=np.asarray(classes, np.int64).reshape(count),
        difficult=hard.reshape(count),
        scores=np.ones(count, np.float32),
        areas=None if areas is None else np.asarray(areas, np.float64).reshape(count),
        crowd=None if crowd is None else np.asarray(crowd, np.bool_).reshape(count),
    )


def segmentation_sample(name: str, image: Image, mask: Image) -> Sample:
    """A sample with a mask uint8 [H, W] and no boxes."""
    return replace(detection_sample(name, image, [], []), mask=mask)


def classification_sample(name: str, image: Image, label: int | None) -> Sample:
    """A sample with one class for the whole image, or None where it is not known."""
    return replace(detection_sample(name, image, [], []), label=label)


def array_sample(name: str, arrays: Mapping[str, NDArray[Any]]) -> Sample:
    """A sample of a program's inputs, without an image."""
    return replace(
        detection_sample(name, np.zeros((0, 0, 3), np.uint8), [], []), arrays=dict(arrays)
    )


class Dataset(Protocol):
    """Samples by index; safe to copy into worker processes."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes by index."""

    @property
    def task(self) -> str:
        """``detection``, ``segmentation``, ``classification``, ``images`` without labels, or
        ``arrays``.
        """

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd but could be put right on opening, a line each."""

    def __len__(self) -> int: ...

    def sample(self, index: int) -> Sample:
        """The sample at 0 <= index < len; the same one every time.

        Raises:
            DataError: its image cannot be read.
        """


@dataclass(frozen=True, slots=True)
class DatasetFormat:
    """One kind of data set.

    Args:
        name: what stands before the colon, as in ``voc:PATH``.
        takes_path: whether a path follows the colon.
        open: called with the options as keywords (and `path` first where it takes one);
            raises DataError.
        options: every option with its default; a default's type is the option's type.
        splits: path -> the values of the option ``split`` that lie there; None where `train` and
            `val` always do.
    """

    name: str
    takes_path: bool
    open: Callable[..., Dataset]
    options: Mapping[str, Any] = field(default_factory=dict)
    splits: Callable[[str], tuple[str, ...]] | None = None
