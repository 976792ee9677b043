"""Counts of a data set against what was put into it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from graphprobe.data.open import open_data
from graphprobe.data.sample import classification_sample, detection_sample, segmentation_sample
from graphprobe.data.survey import ClassCount, draw_sheet, survey
from graphprobe.errors import DataError


class Made:
    warnings: tuple[str, ...] = ()

    def __init__(self, task, class_names, samples):
        self.task, self.class_names, self.samples = task, class_names, samples

    def __len__(self):
        return len(self.samples)

    def sample(self, index):
        if self.samples[index] is None:
            raise DataError("is damaged", where=f"{index}.jpg", hint="replace it")
        return self.samples[index]


def image(height, width):
    return np.full((height, width, 3), 100, np.uint8)


def test_boxes():
    crowd = [False, True]
    boxes = [[0, 0, 10, 10], [0, 0, 50, 40]]
    samples = [
        detection_sample("a", image(60, 80), boxes, [0, 1], crowd, [50, 9217], crowd),
        None,
        detection_sample("b", image(20, 30), [], []),
        detection_sample("c", image(40, 40), [[0, 0, 33, 32]], [1]),
    ]
    found = survey(Made("detection", ("cat", "dog"), samples))
    assert found.read == 3 and found.problems == ("1.jpg: is damaged",)
    assert found.classes == (ClassCount("cat", 1, 1), ClassCount("dog", 2, 2))
    assert found.sizes == ((20, 30), (40, 40), (60, 80))
    assert (found.empty, found.crowds, found.difficult) == (1, 1, 1)
    assert found.by_size == (1, 1, 1)


def test_masks_and_labels():
    mask = np.array([[0, 0, 2], [255, 2, 2]], np.uint8)
    masks = Made("segmentation", ("x", "y", "z"), [segmentation_sample("a", image(2, 3), mask)])
    assert [(c.objects, c.images) for c in survey(masks).classes] == [(2, 1), (0, 0), (3, 1)]
    labels = [classification_sample("a", image(2, 3), label) for label in (1, 1, 0)]
    found = survey(Made("classification", ("x", "y"), labels))
    assert [(c.objects, c.images) for c in found.classes] == [(1, 1), (2, 2)]


def test_arrays_and_a_limit(tmp_path: Path):
    for number in range(9):
        np.savez(tmp_path / f"{number}.npz", ids=np.zeros(7, np.int64))
    data = open_data(f"npz:{tmp_path}?split=all")
    seen: list[int] = []
    found = survey(data, 4, seen.append)
    assert found.read == 4 and seen == [1, 2, 3, 4]
    assert found.arrays == ("ids int64 [7] (4 times)",) and draw_sheet(data, 2, 64) is None


def test_the_sheet_is_the_same_each_time():
    data = open_data("digits?count=9&size=64")
    sheet = draw_sheet(data, 3, 96)
    assert sheet is not None and sheet.ndim == 3 and sheet.std() > 10
    again = draw_sheet(data, 3, 96)
    assert again is not None and np.array_equal(sheet, again)
    assert draw_sheet(Made("detection", (), [None]), 3, 64) is None


def test_a_sheet_of_masks(tmp_path: Path):
    sheet = draw_sheet(open_data("digits_seg?count=4&size=64"), 2, 64)
    assert sheet is not None
    Image.fromarray(sheet).save(tmp_path / "sheet.png")
