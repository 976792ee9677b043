"""Run a trained network on pictures, from files or from a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphprobe.config import TrainSection
from graphprobe.data.batches import EvalBatches, read_sample
from graphprobe.data.draw_boxes import (
    Mark,
    contact_sheet,
    draw_marks,
    draw_mask,
    marks_of_detections,
    marks_of_truth,
)
from graphprobe.data.images import read_image
from graphprobe.data.sample import Dataset, Image, Sample, detection_sample
from graphprobe.errors import DataError
from graphprobe.training.evaluate import Evaluator, choose_metric, labels_of, split_rows
from graphprobe.training.feeding.feeding import make_augmentation, open_validation
from graphprobe.training.trained import Trained

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True, slots=True)
class Found:
    """What a network finds in one picture.

    Args:
        sample: the picture, with its truth where that is known.
        marks: boxes, the best last; empty for segmentation.
        mask: class numbers [S, S] of the resized picture; None for detection.
    """

    sample: Sample
    marks: tuple[Mark, ...]
    mask: Image | None = None


class Pictures:
    """Picture files as a data set without annotations."""

    warnings: tuple[str, ...] = ()

    def __init__(self, paths: Sequence[Path], class_names: tuple[str, ...], task: str) -> None:
        self.paths, self.class_names, self.task = list(paths), class_names, task

    def __len__(self) -> int:
        return len(self.paths)

    def sample(self, index: int) -> Sample:
        """The picture at this index, without boxes."""
        path = self.paths[index]
        return detection_sample(path.name, read_image(path), [], [])


class First:
    """The first samples of a data set."""

    def __init__(self, dataset: Dataset, count: int) -> None:
        self._dataset, self._count = dataset, min(count, len(dataset))
        self.class_names, self.task = dataset.class_names, dataset.task
        self.warnings = dataset.warnings

    def __len__(self) -> int:
        return self._count

    def sample(self, index: int) -> Sample:
        """The sample at this index."""
        return self._dataset.sample(index)


def names_of_classes(section: TrainSection, trained: Trained) -> tuple[str, ...]:
    """What a network's classes are called: as it was trained, else as validated, else numbers."""
    if len(trained.class_names) == trained.built.meta["num_classes"]:
        return trained.class_names
    if section.data.val is None:
        return tuple(map(str, range(trained.built.meta["num_classes"])))
    return open_validation(section, trained.built).class_names


def find_pictures(inputs: Sequence[Path]) -> list[Path]:
    """Files as they are, folders as the pictures inside, sorted.

    Raises:
        DataError: nothing there, or a folder without pictures.
    """
    found: list[Path] = []
    for path in inputs:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise DataError("holds no pictures", where=str(path), hint=", ".join(SUFFIXES))
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise DataError("no such file or folder", where=str(path))
    return found


def find_objects(
    section: TrainSection, trained: Trained, dataset: Dataset, place: Any, *, threshold: float
) -> Iterator[Found]:
    """What a network finds in each sample of a data set, in order.

    Args:
        section: tells the size of the input and of the batch.
        trained: a network built for inference.
        dataset: of pictures.
        place: where it runs.
        threshold: boxes scored lower are left out.

    Raises:
        DataError: a picture cannot be read.
    """
    recipe = make_augmentation(section, trained.built.meta)
    batches = EvalBatches(dataset, section.image_size, section.batch_size, recipe)
    evaluator = Evaluator(trained.built, batches, place, choose_metric(section, trained.built.task))
    roles = list(trained.built.outputs)
    at = 0
    for _, found in evaluator.outputs(trained.scope):
        if trained.built.task == "segmentation":
            for mask in labels_of(found[0]):
                yield Found(read_sample(dataset, at), (), mask)
                at += 1
            continue
        by_role = dict(zip(roles, found, strict=True))
        for rows in split_rows(by_role["bbox"], by_role["bbox_num"]):
            yield Found(read_sample(dataset, at), tuple(marks_of_detections(rows, threshold)))
            at += 1


def draw(found: Found, class_names: Sequence[str]) -> Image:
    """The picture with what was found drawn on it."""
    if found.mask is None:
        return draw_marks(found.sample.image, found.marks, class_names)
    return draw_mask(_fit(found.sample.image, found.mask), found.mask, class_names)


def draw_sheet(every: Sequence[Found], class_names: Sequence[str]) -> Image:
    """Truth and finds side by side, a row a picture."""
    rows = [[_draw_truth(found, class_names), draw(found, class_names)] for found in every]
    return contact_sheet(rows, ("truth", "found"), [found.sample.name for found in every])


def _draw_truth(found: Found, class_names: Sequence[str]) -> Image:
    sample = found.sample
    if sample.mask is not None:
        return draw_mask(sample.image, sample.mask, class_names)
    return draw_marks(sample.image, marks_of_truth(sample.boxes, sample.classes), class_names)


def _fit(image: Image, mask: Image) -> Image:
    from PIL import Image as Pillow

    height, width = mask.shape
    return np.asarray(Pillow.fromarray(image).resize((width, height)))


def as_document(found: Found, class_names: Sequence[str]) -> dict[str, Any]:
    """Plain data, the best box first."""
    boxes = [
        {
            "class": class_names[mark.label] if mark.label < len(class_names) else str(mark.label),
            "score": round(mark.score or 0.0, 4),
            "box": [round(side, 2) for side in mark.box],
        }
        for mark in reversed(found.marks)
    ]
    return {"picture": found.sample.name, "boxes": boxes}
