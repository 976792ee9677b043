"""What a data set holds: how many of what, how large, and all that is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graphprobe.data.augmentation import Augmentation, augment
from graphprobe.data.batches import read_sample
from graphprobe.data.draw_boxes import contact_sheet, draw_truth
from graphprobe.data.sample import IGNORE, Dataset, Image, Sample
from graphprobe.data.subset import Subset, spread_subset
from graphprobe.data.transforms import without_crowds
from graphprobe.errors import DataError

# Sides of squares that part COCO's small, medium and large objects.
SMALL, LARGE = 32, 96


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One class.

    Args:
        name: of it.
        objects: boxes of it; for segmentation its pixels; for classification its images.
        images: that hold it.
    """

    name: str
    objects: int
    images: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found in the samples that were read.

    Args:
        read: samples that were read.
        classes: by number.
        sizes: height and width of the smallest, the middle and the largest image by pixels; empty
            where none was read.
        empty: images without an object.
        crowds: regions that are never learned from.
        difficult: objects that an evaluation leaves out, crowds with them.
        by_size: objects of at most 32^2 pixels, up to 96^2, and above.
        arrays: names, types and shapes, of data that are arrays.
        problems: a line a sample that cannot be read.
    """

    read: int
    classes: tuple[ClassCount, ...]
    sizes: tuple[tuple[int, int], ...]
    empty: int
    crowds: int
    difficult: int
    by_size: tuple[int, int, int]
    arrays: tuple[str, ...]
    problems: tuple[str, ...]


def survey(
    dataset: Dataset, limit: int | None = None, report: Callable[[int], None] | None = None
) -> Survey:
    """Read samples and count what they hold.

    Args:
        dataset: what to read.
        limit: read so many, spread evenly; None for all.
        report: takes the number of samples that were read, after each.
    """
    some = spread_subset(dataset, limit)
    counts = _Counts()
    for index in range(len(some)):
        try:
            counts.take(read_sample(some, index))
        except DataError as error:
            counts.problems.append(str(DataError(error.message, where=error.where)))
        if report is not None:
            report(index + 1)
    return counts.finish(dataset.class_names)


class _Counts:
    """Counts of the samples so far."""

    def __init__(self) -> None:
        self.read = self.empty = self.crowds = self.difficult = 0
        self.objects: Counter[int] = Counter()
        self.images: Counter[int] = Counter()
        self.by_size = [0, 0, 0]
        self.sizes: list[tuple[int, int]] = []
        self.arrays: Counter[str] = Counter()
        self.problems: list[str] = []

    def take(self, sample: Sample) -> None:
        """Count one sample."""
        self.read += 1
        if sample.arrays is not None:
            kinds = (f"{name} {a.dtype} {list(a.shape)}" for name, a in sample.arrays.items())
            self.arrays.update(kinds)
            return
        self.sizes.append(sample.size)
        if sample.mask is not None:
            found = Counter(dict(enumerate(np.bincount(sample.mask.reshape(-1)).tolist())))
            found = Counter({k: n for k, n in found.items() if n and k != IGNORE})
        elif sample.label is not None:
            found = Counter([sample.label])
        else:
            found = Counter(sample.classes.tolist())
            self._take_boxes(sample)
        self.empty += not found
        self.objects += found
        self.images.update(found.keys())

    def _take_boxes(self, sample: Sample) -> None:
        self.difficult += int(sample.difficult.sum())
        self.crowds += 0 if sample.crowd is None else int(sample.crowd.sum())
        areas = sample.areas
        if areas is None:
            areas = (sample.boxes[:, 2:] - sample.boxes[:, :2]).prod(1).astype(np.float64)
        for place in np.digitize(areas, [SMALL**2, LARGE**2], right=True).tolist():
            self.by_size[place] += 1

    def finish(self, names: tuple[str, ...]) -> Survey:
        """The figures of all that was taken."""
        by_pixels = sorted(self.sizes, key=lambda size: (size[0] * size[1], size))
        ends = [0, len(by_pixels) // 2, -1] if by_pixels else []
        return Survey(
            read=self.read,
            classes=tuple(
                ClassCount(name, self.objects[number], self.images[number])
                for number, name in enumerate(names)
            ),
            sizes=tuple(by_pixels[place] for place in ends),
            empty=self.empty,
            crowds=self.crowds,
            difficult=self.difficult,
            by_size=(self.by_size[0], self.by_size[1], self.by_size[2]),
            arrays=tuple(f"{kind} ({count} times)" for kind, count in sorted(self.arrays.items())),
            problems=tuple(self.problems),
        )


def draw_sheet(dataset: Dataset, count: int, size: int, seed: int = 0) -> Image | None:
    """Samples with their boxes or masks, as they are stored and as training may see them.

    Args:
        dataset: of images.
        count: rows, spread evenly over the data.
        size: of the square input.
        seed: of the augmentation.

    Returns:
        uint8 [H, W, 3]; None for data that are no images, and where none can be read.
    """
    rows, names = [], []
    some = spread_subset(dataset, count)
    for index in range(len(some)):
        try:
            sample = read_sample(some, index)
        except DataError:
            continue  # the survey names it
        if sample.arrays is not None:
            return None
        place = some.indices[index] if isinstance(some, Subset) else index
        rng = np.random.default_rng([seed, place])
        seen = augment(without_crowds(sample), Augmentation((size,)), size, rng)
        rows.append(
            [draw_truth(sample, dataset.class_names), draw_truth(seen, dataset.class_names)]
        )
        known = sample.label is not None and sample.label < len(dataset.class_names)
        label = f": {dataset.class_names[sample.label or 0]}" if known else ""
        names.append(f"{sample.name}{label}")
    return contact_sheet(rows, ("as stored", "after augmentation"), names) if rows else None
