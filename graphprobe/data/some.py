"""Some samples of a data set, for figures that need not take all of them."""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.data.sample import Dataset, Sample


class _Some:
    """Some samples of a data set."""

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self._dataset, self._indices = dataset, indices
        self.class_names, self.task = dataset.class_names, dataset.task
        self.warnings = dataset.warnings

    def __len__(self) -> int:
        return len(self._indices)

    def sample(self, index: int) -> Sample:
        return self._dataset.sample(self._indices[index])


def some_of(dataset: Dataset, count: int | None) -> Dataset:
    """`count` samples spread evenly over a data set, which is often sorted; all where None."""
    whole = len(dataset)
    if count is None or count >= whole:
        return dataset
    return _Some(dataset, [i * whole // count for i in range(count)])
