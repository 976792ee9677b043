"""Run a trained network on images, from files or from a data set, a batch at a time.

Images are decoded once, and no more of them are in memory than one batch, so that any number of
them takes the same memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import paddle

from graphprobe.config import TrainSection
from graphprobe.data.batches import read_sample
from graphprobe.data.draw_boxes import Mark, marks_of_detections
from graphprobe.data.eval_batches import make_eval_feed
from graphprobe.data.sample import Dataset, Image, Sample
from graphprobe.data.transforms import resize_mask
from graphprobe.errors import DataError
from graphprobe.training.evaluate import labels_of, run_feed, split_rows
from graphprobe.training.feeding.feeding import make_augmentation, open_validation
from graphprobe.training.trained import Trained

# Decoded images of one batch; with larger ones a batch has fewer.
MOST_BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """What a network finds in one image.

    Args:
        sample: the image, with its truth where that is known.
        marks: boxes, the best last; empty for segmentation.
        mask: class numbers [H, W], as large as the image, bytes where they fit; None for detection.
        ranking: of classification, the best classes with their scores, the best first.
    """

    sample: Sample
    marks: tuple[Mark, ...]
    mask: Image | None = None
    ranking: tuple[tuple[int, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image that could not be read.

    Args:
        name: of the sample.
        reason: one line.
    """

    name: str
    reason: str


def read_or_skip(dataset: Dataset, index: int) -> Sample | Skipped:
    """A sample, or why it cannot be read."""
    try:
        return read_sample(dataset, index)
    except DataError as error:
        files = getattr(dataset, "files", None)
        name = files[index].name if files is not None else f"sample {index}"
        return Skipped(name, error.message)


def names_of_classes(section: TrainSection, trained: Trained) -> tuple[str, ...]:
    """What a network's classes are called: as it was trained, else as validated, else numbers."""
    if len(trained.class_names) == trained.built.meta["num_classes"]:
        return trained.class_names
    if section.data.val is None:
        return tuple(map(str, range(trained.built.meta["num_classes"])))
    return open_validation(section, trained.built).class_names


def find_objects(
    section: TrainSection, trained: Trained, dataset: Dataset, place: Any, *, threshold: float
) -> Iterator[Found | Skipped]:
    """What a network finds in each sample of a data set, in order.

    Args:
        section: has the size of the input and of the batch.
        trained: a network built for inference.
        dataset: of images.
        place: where it runs.
        threshold: boxes scored lower are left out.
    """
    augmentation = make_augmentation(section, trained.built.meta)
    executor = paddle.static.Executor(place)
    for batch in _batches(dataset, section.batch_size):
        samples = [each for each in batch if isinstance(each, Sample)]
        if samples:
            feed = make_eval_feed(samples, section.image_size, augmentation)
            results = run_feed(executor, trained.built, feed, trained.scope)
            found = iter(_split(trained, samples, results, threshold))
        for each in batch:
            yield each if isinstance(each, Skipped) else next(found)


def _batches(dataset: Dataset, size: int) -> Iterator[list[Sample | Skipped]]:
    """Samples in batches of at most `size` images and `MOST_BYTES`."""
    batch: list[Sample | Skipped] = []
    count = used = 0
    for index in range(len(dataset)):
        sample = read_or_skip(dataset, index)
        batch.append(sample)
        if isinstance(sample, Skipped):
            continue
        count, used = count + 1, used + sample.image.nbytes
        if count == size or used >= MOST_BYTES:
            yield batch
            batch, count, used = [], 0, 0
    if batch:
        yield batch


def _split(
    trained: Trained, samples: Sequence[Sample], results: list[Any], threshold: float
) -> Iterator[Found]:
    """Divide a batch's outputs among its samples."""
    if trained.built.task == "segmentation":
        for sample, mask in zip(samples, labels_of(results[0]), strict=True):
            yield Found(sample, (), resize_mask(mask, *sample.size))
        return
    by_role = dict(zip(trained.built.outputs, results, strict=True))
    every = split_rows(by_role["bbox"], by_role["bbox_num"])
    for sample, rows in zip(samples, every, strict=True):
        yield Found(sample, tuple(marks_of_detections(rows, threshold)))
