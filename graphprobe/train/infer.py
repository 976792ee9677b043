"""Run a trained network on pictures from files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.config import TrainSection
from graphprobe.data._pictures import read_picture
from graphprobe.data.batches import EvalBatches, split_truth
from graphprobe.data.sample import Sample, detection_sample
from graphprobe.errors import DataError
from graphprobe.train.evaluate import Evaluator, split_rows
from graphprobe.train.feeding import make_recipe
from graphprobe.train.trained import Trained

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True, slots=True)
class Detection:
    """One box: class index, score from 0 to 1, corners in pixels of the picture."""

    label: int
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """What a network finds in one picture, the best first."""

    path: Path
    image: NDArray[np.uint8]
    detections: tuple[Detection, ...]


class Pictures:
    """Files as a data set without annotations."""

    task = "detection"
    warnings: tuple[str, ...] = ()

    def __init__(self, paths: Sequence[Path], class_names: tuple[str, ...]) -> None:
        self.paths, self.class_names = list(paths), class_names

    def __len__(self) -> int:
        return len(self.paths)

    def sample(self, index: int) -> Sample:
        """The picture at this index, without boxes."""
        path = self.paths[index]
        return detection_sample(str(path), read_picture(path), [], [])


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


def detect(
    section: TrainSection,
    trained: Trained,
    paths: Sequence[Path],
    class_names: tuple[str, ...],
    place: Any,
    *,
    threshold: float,
) -> Iterator[Picture]:
    """Detections in pictures, in the order given.

    Args:
        section: tells size and batch.
        trained: a detection network built for inference.
        paths: from `find_pictures`.
        class_names: by index.
        place: where it runs.
        threshold: boxes scored lower are left out.

    Raises:
        DataError: a picture cannot be read.
    """
    data = Pictures(paths, class_names)
    recipe = make_recipe(section, trained.built.meta)
    batches = EvalBatches(data, section.image_size, section.batch_size, recipe)
    evaluator = Evaluator(trained.built, batches, place, section.metric)
    roles = list(trained.built.outputs)
    at = 0
    for batch, found in evaluator.outputs(trained.scope):
        feed, _ = split_truth(batch)
        by_role = dict(zip(roles, found, strict=True))
        rows = split_rows(by_role["bbox"], by_role["bbox_num"])
        for path, picture in zip(paths[at : at + len(feed["image"])], rows, strict=True):
            yield Picture(path, read_picture(path), _detections(picture, threshold))
        at += len(feed["image"])


def _detections(rows: NDArray[Any], threshold: float) -> tuple[Detection, ...]:
    kept = [row for row in rows.reshape(-1, 6) if row[0] >= 0 and row[1] >= threshold]
    kept.sort(key=lambda row: -row[1])
    return tuple(
        Detection(
            int(row[0]), float(row[1]), (float(row[2]), float(row[3]), float(row[4]), float(row[5]))
        )
        for row in kept
    )
