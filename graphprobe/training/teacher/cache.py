"""What a teacher made of a sample, computed once where the sample never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from graphprobe.config import TrainSection
from graphprobe.data.batches import SAMPLES, TrainBatches
from graphprobe.data.sample import Arrays, Feed
from graphprobe.training.assemble import Assembly
from graphprobe.training.reporting.progress import Log


class Teacher(Protocol):
    """What computes outputs that are worth keeping: `InferenceTeacher`."""

    inputs: list[str]

    def extend(self, feed: Feed) -> Arrays:
        """The feed with the teacher's variables for it."""

    def outputs(self, feed: Feed) -> Arrays:
        """The teacher's variables for a feed."""


class TeacherCache:
    """Puts the teacher's variables of a batch together from those of its samples.

    Only samples that are not kept yet are computed, as many at once as `safe_sizes` allows; rows
    that fill up to such a number are thrown away.

    Args:
        teacher: computes what is missing.
        sizes: how many samples it may be given at once; a whole batch is the largest.
        limit: bytes that may be kept; the rest is computed each time.
    """

    def __init__(self, teacher: Teacher, sizes: Sequence[int], limit: int) -> None:
        self._teacher, self._sizes, self._left = teacher, sorted(sizes), limit
        self._kept: dict[int, Arrays] = {}

    def extend(self, feed: Feed) -> Arrays:
        """The feed without the names of its samples and with the teacher's variables for it."""
        rest = {name: array for name, array in feed.items() if name != SAMPLES}
        if SAMPLES not in feed:
            return self._teacher.extend(rest)
        samples = feed[SAMPLES].tolist()
        missing = {sample: row for row, sample in enumerate(samples) if sample not in self._kept}
        made = dict(zip(missing, self._compute(rest, list(missing.values())), strict=True))
        found = [made[sample] if sample in made else self._kept[sample] for sample in samples]
        for sample, arrays in made.items():
            self._keep(sample, arrays)
        return {**rest, **{name: np.stack([one[name] for one in found]) for name in found[0]}}

    def _compute(self, feed: Feed, rows: Sequence[int]) -> list[Arrays]:
        """The teacher's variables for some rows of a feed, row by row."""
        if not rows:
            return []
        size = next(size for size in self._sizes if size >= len(rows))
        found = outputs_of(self._teacher, feed, np.resize(rows, size))
        return [{n: array[place] for n, array in found.items()} for place in range(len(rows))]

    def _keep(self, sample: int, arrays: Arrays) -> None:
        size = bytes_of(arrays)
        if size <= self._left:
            self._left -= size
            self._kept[sample] = {name: array.copy() for name, array in arrays.items()}


def bytes_of(arrays: Mapping[str, NDArray[Any]]) -> int:
    """The memory that some arrays take."""
    return sum(array.nbytes for array in arrays.values())


def outputs_of(teacher: Teacher, feed: Feed, rows: NDArray[np.int64]) -> Arrays:
    """The teacher's variables for some rows of a feed."""
    return teacher.outputs({name: feed[name][rows] for name in teacher.inputs})


def safe_sizes(teacher: Teacher, feed: Feed, whole: Arrays) -> list[int]:
    """How many samples may be computed at once so that each gets the bits it gets in its batch.

    Samples of a batch are computed again among others, in other places and fewer at a time.
    Wherever numbers are drawn, samples are mixed or have no axis of their own, or roundings depend
    on the size of the batch, something differs.

    Args:
        feed: a batch of B samples.
        whole: the teacher's variables for it.

    Returns:
        B and those of 1, 2, 4, ... below it that passed; nothing where B itself did not.
    """
    count = len(feed[teacher.inputs[0]])
    if any(array.shape[:1] != (count,) for array in whole.values()):
        return []
    sizes = sorted({count, *(1 << power for power in range(count.bit_length()))})
    passed = [size for size in sizes if _is_safe(teacher, feed, whole, size)]
    return passed if count in passed else []


def _is_safe(teacher: Teacher, feed: Feed, whole: Arrays, size: int) -> bool:
    """Whether samples keep their bits in a batch of this size, in which each stands twice."""
    rows = np.resize(np.arange((size + 1) // 2)[::-1], size)
    found = outputs_of(teacher, feed, rows)
    return all(np.array_equal(array, whole[name][rows]) for name, array in found.items())


def cache_outputs(
    parts: Assembly, batches: TrainBatches, section: TrainSection, log: Log
) -> TrainBatches:
    """Let the steps of a run keep what its teacher makes of samples, where that is possible.

    Args:
        parts: of the run; its engine extends batches by what was kept from here on.
        batches: of the run.
        section: of the run.
        log: takes a line with what is kept, or why nothing is.

    Returns:
        the batches, which name their samples where that is needed.

    Raises:
        DataError: the first batch cannot be read.
    """
    if parts.teacher is None:
        return batches
    if (reason := _hindrance(parts, batches, section)) or parts.inference_teacher is None:
        log(f"teacher: outputs are not kept ({reason})")
        return batches
    feed = batches.batch(0)
    whole = parts.inference_teacher.outputs(feed)
    sizes = safe_sizes(parts.inference_teacher, feed, whole)
    if not sizes:
        log("teacher: outputs are not kept (those of a sample depend on the rest of its batch)")
        return batches
    limit = section.teacher_cache_mb * 1_000_000
    log(_amount(batches, bytes_of(whole) // sizes[-1], limit))
    parts.engine.extend = TeacherCache(parts.inference_teacher, sizes, limit).extend
    return replace(batches, numbered=True)


def _hindrance(parts: Assembly, batches: TrainBatches, section: TrainSection) -> str:
    """Why nothing can be kept, as far as that is known without computing; or empty."""
    if parts.inference_teacher is None:
        return f"teacher_engine is {section.teacher_engine}"
    if not section.teacher_cache_mb:
        return "teacher_cache_mb is 0"
    if batches.is_random(section.max_iters - 1):
        return "augmentation or sizes are random"
    return ""


def _amount(batches: TrainBatches, each: int, limit: int) -> str:
    """How much is kept, at so many bytes a sample."""
    samples = len(batches.dataset)
    kept = min(samples, limit // max(each, 1))
    since = f" from iteration {batches.mixup_until} on" if batches.is_random(0) else ""
    return (
        f"teacher: outputs of {kept} of {samples} samples are kept (nothing random before them"
        f"{since}), up to {kept * each / 1e6:.3g} MB"
    )
