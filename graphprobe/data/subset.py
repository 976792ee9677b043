"""A part of a data set, for figures and drawings that need not take all of it."""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.data.sample import Dataset, Sample


class Subset:
    """The samples of a data set at some indices, in that order.

    Args:
        dataset: what they are taken from.
        indices: their places there.
    """

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self._dataset, self.indices = dataset, indices
        self.class_names, self.task = dataset.class_names, dataset.task
        self.warnings = dataset.warnings

    def __len__(self) -> int:
        return len(self.indices)

    def sample(self, index: int) -> Sample:
        """The sample at this place of the subset."""
        return self._dataset.sample(self.indices[index])


def spread_subset(dataset: Dataset, count: int | None) -> Dataset:
    """`count` samples spread evenly over a data set, which is often sorted; all where None."""
    whole = len(dataset)
    if count is None or count >= whole:
        return dataset
    return Subset(dataset, [i * whole // count for i in range(count)])


def first_subset(dataset: Dataset, count: int) -> Dataset:
    """The first samples of a data set."""
    return Subset(dataset, range(min(count, len(dataset))))
