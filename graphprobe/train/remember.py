"""Keep samples that were read in memory, so that small data sets are read once."""

from __future__ import annotations

from graphprobe.data.sample import Dataset, Sample


class Remembered:
    """A data set whose samples stay in memory up to a limit; each worker keeps its own.

    Args:
        dataset: what is read.
        limit: bytes of pictures and masks; the rest is read anew each time.
    """

    def __init__(self, dataset: Dataset, limit: int) -> None:
        self._dataset, self._left = dataset, limit
        self._samples: dict[int, Sample] = {}
        self.class_names, self.task = dataset.class_names, dataset.task
        self.warnings = dataset.warnings

    def __len__(self) -> int:
        return len(self._dataset)

    def sample(self, index: int) -> Sample:
        """The sample at this index; nobody may write into it."""
        found = self._samples.get(index)
        if found is None:
            found = self._dataset.sample(index)
            size = found.image.nbytes + (0 if found.mask is None else found.mask.nbytes)
            if size <= self._left:
                self._left -= size
                self._samples[index] = found
        return found
