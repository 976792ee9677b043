"""Batches by number: each is a function of the seed and its number alone.

So the batches are the same for any number of worker processes, a run resumes by starting at
another number, and the shards of several processes together are the batch of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.augmentation import Augmentation, augment, is_random
from graphprobe.data.collate import (
    collate_boxes,
    collate_labels,
    collate_masks,
    label_column,
    mask_arrays,
    mask_of,
    stack_arrays,
    stack_images,
)
from graphprobe.data.preparation import InputPlan, Placement
from graphprobe.data.sample import Arrays, Dataset, Sample
from graphprobe.data.targets import PLAIN, Targets
from graphprobe.data.transforms import without_crowds
from graphprobe.errors import DataError

# Names the samples of a batch whose arrays are the same each time they come; not fed either.
SAMPLES = "sample_index"
_ORDER, _SAMPLE, _SIZE = 1, 2, 3  # keep the random streams apart


@dataclass(frozen=True)
class TrainBatches:
    """An endless list of training batches; batch k holds positions k*B to (k+1)*B of the stream.

    The stream is one permutation of the data set after another, each seeded by its epoch, so no
    sample is ever dropped and small sets serve large batches.

    Args:
        dataset: what to draw from.
        augmentation: what happens to a sample.
        batch_size: B, over all shards.
        seed: of order, sizes and augmentation.
        shard: rank and number of processes; each gets an equal run of every batch.
        targets: makes what a detector is compared with; segmentation looks at none.
        mixup_until: the batch from which on nothing is blended; None for never.
        numbered: add to each batch in which nothing is drawn at random the array `SAMPLES`.
        inputs: what an exported program is fed of an image, each in one size; None of others.
        wanted: with `inputs`, the names of what labels are fed; None for all that there are.

    Raises:
        DataError: the batch does not divide among the shards, or nothing can be drawn.
    """

    dataset: Dataset
    augmentation: Augmentation
    batch_size: int
    seed: int = 0
    shard: tuple[int, int] = (0, 1)
    targets: Targets = PLAIN
    mixup_until: int | None = None
    numbered: bool = False
    inputs: InputPlan | None = None
    wanted: frozenset[str] | None = None

    def __post_init__(self) -> None:
        rank, count = self.shard
        if self.batch_size < 1 or self.batch_size % count or not 0 <= rank < count:
            raise DataError(
                f"a batch of {self.batch_size} does not divide among {count} processes",
                where="batch_size",
                hint=f"use a multiple of {count}",
            )
        if not len(self.dataset):
            raise DataError("has no samples", where="data")
        odd = [size for size in self.augmentation.sizes if size % 32]
        if odd and self.dataset.task == "detection":
            raise DataError(f"sizes must be multiples of 32, not {odd}", where="data")

    def positions(self, number: int) -> range:
        """The positions in the stream of this shard's part of a batch."""
        rank, count = self.shard
        part = self.batch_size // count
        start = number * self.batch_size + rank * part
        return range(start, start + part)

    def size_of(self, number: int) -> int:
        """The side of the images of a batch; the same in every shard."""
        rng = np.random.default_rng([_SIZE, self.seed, number])
        return int(rng.choice(self.augmentation.sizes))

    def augmentation_of(self, number: int) -> Augmentation:
        """What happens to the samples of a batch."""
        blends = self.mixup_until is None or number < self.mixup_until
        return self.augmentation if blends else replace(self.augmentation, mixup=False)

    def is_random(self, number: int) -> bool:
        """Whether the samples of a batch may come out differently another time."""
        if self.dataset.task == "arrays":
            return False
        return is_random(self.augmentation_of(number), self.dataset.task)

    def batch(self, number: int) -> Arrays:
        """The arrays of this shard's part of a batch.

        Returns:
            what the `collate_...` function of the task gives; with `numbered` and nothing random
            also sample_index int64 [N], the places of the samples in the data set.

        Raises:
            DataError: a sample cannot be read; it is named.
        """
        augmentation, size = self.augmentation_of(number), self.size_of(number)
        places = [self._place(position) for position in self.positions(number)]
        if self.dataset.task == "arrays":
            feed = stack_arrays([read_sample(self.dataset, index) for _, index in places])
        else:
            samples = [self._draw(epoch, index, augmentation, size) for epoch, index in places]
            feed = self._collate(samples, augmentation, size)
        if self.numbered and not self.is_random(number):
            feed[SAMPLES] = np.array([index for _, index in places], np.int64)
        return feed

    def _collate(self, samples: Sequence[Sample], augmentation: Augmentation, size: int) -> Arrays:
        if self.inputs is None:
            return self._plain(samples, augmentation)
        plan = self.inputs if len(augmentation.sizes) == 1 else self.inputs.at((size, size))
        images, places = plan.batch_with([sample.image for sample in samples])
        labels = self._labels(samples, places)
        if self.wanted is not None:
            labels = {name: array for name, array in labels.items() if name in self.wanted}
        return {**labels, **images}

    def _labels(self, samples: Sequence[Sample], places: Sequence[Placement]) -> Arrays:
        """What labels are fed, where the images lie in what the program is fed."""
        task = self.dataset.task
        if task == "classification":
            return {"label": label_column(samples)}
        if task == "segmentation":
            masks = [
                place.mask_in_input(mask_of(sample))
                for sample, place in zip(samples, places, strict=True)
            ]
            return mask_arrays(np.stack(masks)[:, None])
        if task == "detection":
            height, width = places[0].whole
            square = np.array([height / width, 1.0] * 2, np.float32)
            placed = [
                replace(sample, boxes=place.to_input(sample.boxes) * square)
                for sample, place in zip(samples, places, strict=True)
            ]
            return self.targets.batch(placed, height)
        return {}

    def _plain(self, samples: Sequence[Sample], augmentation: Augmentation) -> Arrays:
        if self.dataset.task == "segmentation":
            return collate_masks(samples, augmentation)
        if self.dataset.task == "classification":
            return collate_labels(samples, augmentation)
        if self.dataset.task == "images":
            return {"image": stack_images(samples, augmentation)}
        return collate_boxes(samples, augmentation, self.targets)

    def _place(self, position: int) -> tuple[int, int]:
        """The epoch of a position of the stream, and the index of the sample there."""
        count = len(self.dataset)
        epoch, place = divmod(position, count)
        return epoch, int(epoch_order(self.seed, epoch, count)[place])

    def _draw(self, epoch: int, index: int, augmentation: Augmentation, size: int) -> Sample:
        rng = np.random.default_rng([_SAMPLE, self.seed, epoch, index])
        partner = int(rng.integers(len(self.dataset)))
        task = self.dataset.task
        whole = self.inputs is not None and task in ("images", "classification")
        if whole and not is_random(augmentation, task):
            return read_sample(self.dataset, index)  # `inputs` knows how it is resized
        return augment(
            without_crowds(read_sample(self.dataset, index)),
            augmentation,
            size,
            rng,
            lambda: without_crowds(read_sample(self.dataset, partner)),
        )


@lru_cache(maxsize=2)
def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The order of an epoch: a permutation of 0..count-1."""
    return np.random.default_rng([_ORDER, seed, epoch]).permutation(count)


def read_sample(dataset: Dataset, index: int) -> Sample:
    """A sample, with every failure of reading it turned into one that names it.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return dataset.sample(index)
    except DataError:
        raise
    except (OSError, ValueError, IndexError, KeyError, TypeError, MemoryError) as error:
        text = f"cannot be read ({type(error).__name__}: {error})"
        raise DataError(text, where=f"sample {index}") from error
