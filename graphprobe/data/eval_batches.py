"""Evaluation batches: each sample once, in order, with what is known of it beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.augmentation import Augmentation, no_augmentation
from graphprobe.data.batches import read_sample
from graphprobe.data.collate import stack_arrays, stack_images
from graphprobe.data.preparation import InputPlan, fixed_size
from graphprobe.data.sample import IGNORE, Arrays, Dataset, Sample
from graphprobe.data.transforms import resize

# What starts with this is for the evaluation and is not fed to the program.
TRUTH = "truth_"
_MOST_TRUTH = 300


@dataclass(frozen=True)
class EvalBatches:
    """The data set once, in order, without augmentation; the last batch may be smaller.

    Args:
        dataset: what to evaluate on.
        size: side of the square input.
        batch_size: samples a batch.
        augmentation: for its mean and std; `no_augmentation(size)` by default.
        inputs: what an exported program is fed of an image, in place of both; None of others.
    """

    dataset: Dataset
    size: int
    batch_size: int = 8
    augmentation: Augmentation | None = field(default=None)
    inputs: InputPlan | None = None

    @property
    def image_size(self) -> tuple[int, int] | None:
        """H and W of the network's input, in pixels; None where each image has its own."""
        if self.inputs is None:
            return self.size, self.size
        return fixed_size(self.inputs.preparation.steps)

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def batch(self, number: int) -> Arrays:
        """The arrays of one batch.

        Returns:
            image float32 [N, 3, S, S]; im_size int32 [N, 2], height and width of the image;
            im_id int64 [N, 1]; and for `truths`, not to be fed: truth_boxes float32
            [N, 300, 4] in pixels of the image, truth_classes int64 [N, 300] (-1 unused),
            truth_difficult, truth_areas (NaN where not known); or truth_mask uint8 [N, S, S]; or
            truth_label int64 [N]. With `inputs` also truth_place [N, 8], rows of `Placement`, and
            masks are those of the originals. Of a data set of arrays: those alone.
        """
        start = number * self.batch_size
        stop = min(start + self.batch_size, len(self.dataset))
        samples = [read_sample(self.dataset, index) for index in range(start, stop)]
        augmentation = self.augmentation or no_augmentation(self.size)
        return make_eval_feed(samples, self.size, augmentation, first=start, inputs=self.inputs)


def make_eval_feed(
    samples: Sequence[Sample],
    size: int,
    augmentation: Augmentation,
    *,
    first: int = 0,
    inputs: InputPlan | None = None,
) -> Arrays:
    """The arrays of an evaluation batch, as `EvalBatches.batch` gives them.

    Args:
        samples: of any sizes, all with masks or none.
        size: of the square input.
        augmentation: for its mean and std.
        first: the place of the first sample in its data set.
        inputs: what the program is fed, where that is not an image stretched to `size` alone.
    """
    if samples[0].arrays is not None:
        return stack_arrays(samples)
    if inputs is None:
        small = [resize(sample, size, size) for sample in samples]
        images: Arrays = {"image": stack_images(small, augmentation)}
    else:
        images, places = inputs.batch_with([sample.image for sample in samples])
        images[TRUTH + "place"] = np.stack([place.row() for place in places])
        small = list(samples)
    feed: Arrays = {
        "im_size": np.array([sample.size for sample in samples], np.int32),
        "im_id": np.arange(first, first + len(samples), dtype=np.int64)[:, None],
        **images,
    }
    if samples[0].label is not None:
        feed[TRUTH + "label"] = np.array([sample.label for sample in samples], np.int64)
        return feed
    feed.update(_truth_masks(small) if samples[0].mask is not None else _truth_boxes(samples))
    return feed


def _truth_masks(samples: Sequence[Sample]) -> Arrays:
    """Masks of any sizes at the top left of one size; what is filled around them is ignored."""
    masks = [sample.mask for sample in samples if sample.mask is not None]
    sides = [max(mask.shape[axis] for mask in masks) for axis in (0, 1)]
    found = np.full((len(masks), *sides), IGNORE, np.uint8)
    for row, mask in zip(found, masks, strict=True):
        row[: mask.shape[0], : mask.shape[1]] = mask
    return {TRUTH + "mask": found}


def _truth_boxes(samples: Sequence[Sample]) -> Arrays:
    shape = (len(samples), max(_MOST_TRUTH, *(len(sample.boxes) for sample in samples)))
    boxes = np.zeros((*shape, 4), np.float32)
    classes = np.full(shape, -1, np.int64)
    difficult = np.zeros(shape, np.bool_)
    areas = np.full(shape, np.nan)
    for row, sample in enumerate(samples):
        used = len(sample.boxes)
        boxes[row, :used] = sample.boxes
        classes[row, :used] = sample.classes
        difficult[row, :used] = sample.difficult
        if sample.areas is not None:
            areas[row, :used] = sample.areas
    return {
        TRUTH + "boxes": boxes,
        TRUTH + "classes": classes,
        TRUTH + "difficult": difficult,
        TRUTH + "areas": areas,
    }


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of one image.

    Args:
        boxes: [n, 4] in its pixels.
        classes: [n].
        difficult: [n].
        areas: [n], of the outlines where the data have them, else of the boxes.
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    difficult: NDArray[np.bool_]
    areas: NDArray[np.float64]


def split_truth(batch: Arrays) -> tuple[Arrays, Arrays]:
    """Part what a program is fed from what the evaluation needs."""
    feed = {name: array for name, array in batch.items() if not name.startswith(TRUTH)}
    truth = {name: array for name, array in batch.items() if name.startswith(TRUTH)}
    return feed, truth


def truths(batch: Arrays) -> list[Truth]:
    """The boxes of each image of an evaluation batch."""
    rows = zip(
        batch[TRUTH + "boxes"],
        batch[TRUTH + "classes"],
        batch[TRUTH + "difficult"],
        batch[TRUTH + "areas"],
        strict=True,
    )
    return [
        Truth(boxes[used], classes[used], difficult[used], _areas(areas[used], boxes[used]))
        for boxes, classes, difficult, areas in rows
        for used in [classes >= 0]
    ]


def _areas(areas: NDArray[np.float64], boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    sides = (boxes[:, 2:] - boxes[:, :2]).astype(np.float64)
    return np.where(np.isnan(areas), sides.prod(1), areas)
