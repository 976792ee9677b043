"""Keep what was read in memory, so that small data sets are read once."""

from __future__ import annotations

from graphprobe.data.eval_batches import EvalBatches
from graphprobe.data.sample import Arrays, Dataset, Sample


class CachedDataset:
    """A data set whose samples stay in memory up to a limit; each worker keeps its own.

    Args:
        dataset: what is read.
        limit: bytes of images and masks; the rest is read anew each time.
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


class CachedBatches:
    """Evaluation batches that stay in memory up to a limit, for evaluating many times.

    Args:
        batches: what is kept.
        limit: bytes of arrays; the rest is made anew each time.
    """

    def __init__(self, batches: EvalBatches, limit: int) -> None:
        self._batches, self._left = batches, limit
        self._kept: dict[int, Arrays] = {}
        self.dataset, self.image_size = batches.dataset, batches.image_size

    def __len__(self) -> int:
        return len(self._batches)

    def batch(self, number: int) -> Arrays:
        """The arrays of one batch; nobody may write into them."""
        found = self._kept.get(number)
        if found is None:
            found = self._batches.batch(number)
            size = sum(array.nbytes for array in found.values())
            if size <= self._left:
                self._left -= size
                self._kept[number] = found
        return found
