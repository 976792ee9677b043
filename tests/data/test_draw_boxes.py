"""Boxes and masks end up where they belong, and labels stay on the image."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from graphprobe.data.draw_boxes import (
    Mark,
    colour_of,
    contact_sheet,
    draw_marks,
    draw_mask,
    histogram,
    marks_of_detections,
    marks_of_truth,
    palette_png,
    to_png,
)

GREY = np.full((400, 500, 3), 128, np.uint8)


def test_a_box_is_drawn_on_its_edges():
    before = GREY.copy()
    drawn = draw_marks(GREY, [Mark((100, 150, 301, 351), 1)], ["a", "b"])
    assert (before == GREY).all()
    assert drawn.shape == GREY.shape
    for y, x in ((250, 100), (250, 300), (150, 250), (350, 250)):
        assert tuple(drawn[y, x]) == colour_of(1)
    assert tuple(drawn[250, 200]) == (128, 128, 128)
    assert tuple(drawn[250, 97]) == (128, 128, 128)


def test_small_pictures_are_enlarged():
    drawn = draw_marks(np.zeros((96, 64, 3), np.uint8), [Mark((0, 0, 64, 96), 0)], ["a"])
    assert drawn.shape == (576, 384, 3)
    assert tuple(drawn[300, 0]) == tuple(drawn[575, 200]) == colour_of(0)


@pytest.mark.parametrize(
    "box",
    [(-50, -50, 20, 20), (490, 390, 900, 900), (0, 0, 500, 400), (300, 9, 200, 5), (7, 7, 7, 7)],
)
def test_odd_boxes_do_not_fail(box):
    drawn = draw_marks(GREY, [Mark(box, 7, 0.5)] * 3, ["only one"])
    assert (drawn != GREY).any()


def test_labels_of_neighbours_do_not_cover_each_other():
    marks = [Mark((100, 100, 200, 200), 0, 0.9), Mark((110, 100, 210, 200), 1, 0.8)]
    drawn = draw_marks(GREY, marks, ["first", "second"])
    filled = [int((drawn == colour_of(m.label)).all(2).sum()) for m in marks]
    alone = [
        int((draw_marks(GREY, [m], ["first", "second"]) == colour_of(m.label)).all(2).sum())
        for m in marks
    ]
    assert all(both > 0.8 * one for both, one in zip(filled, alone, strict=True))


def test_marks_of_detections_are_cut_off_and_sorted():
    rows = [[0, 0.9, 1, 2, 3, 4], [1, 0.4, 0, 0, 1, 1], [-1, 1.0, 0, 0, 1, 1], [2, 0.5, 5, 6, 7, 8]]
    assert marks_of_detections(np.array(rows), 0.5) == [
        Mark((5, 6, 7, 8), 2, 0.5),
        Mark((1, 2, 3, 4), 0, 0.9),
    ]
    assert marks_of_detections(np.zeros((0, 6))) == []
    assert marks_of_truth(np.array([[1, 2, 3, 4]]), np.array([3])) == [Mark((1, 2, 3, 4), 3)]


def test_colours_differ():
    assert len({colour_of(label) for label in range(80)}) == 80


def test_masks_wash_their_pixels_and_name_the_classes():
    mask = np.zeros((400, 500), np.uint8)
    mask[200:300, 200:300] = 2
    mask[350:, 400:] = 255
    drawn = draw_mask(GREY, mask, ["back", "a", "b"])
    assert tuple(drawn[10, 490]) == tuple(drawn[390, 490]) == (128, 128, 128)
    wash = [0.45 * 128 + 0.55 * part for part in colour_of(2)]
    assert np.abs(drawn[250, 250] - wash).max() <= 1
    assert tuple(drawn[1, 1]) == colour_of(2), "the legend"


def test_a_sheet_holds_all_pictures():
    pictures = [[GREY, GREY[:200]], [GREY[:, :300], GREY]]
    sheet = contact_sheet(pictures, ["truth", "found"], ["one", "two"], width=200)
    assert sheet.shape[1] == 2 * 210 + 10
    assert (sheet == 128).all(2).sum() >= 200 * (160 + 80 + 266 + 160)
    read = Image.open(io.BytesIO(to_png(sheet)))
    assert read.format == "PNG"
    assert (np.asarray(read) == sheet).all()


def test_classes_beyond_a_byte_are_drawn_counted_and_written() -> None:
    mask = np.zeros((8, 8), np.int32)
    mask[:4] = 300
    mask[4:, :4] = 255
    names = [str(number) for number in range(301)]
    drawn = draw_mask(np.full((8, 8, 3), 128, np.uint8), mask, names)
    side = len(drawn)
    corners = [drawn[-1, 0], drawn[-1, -1], drawn[side // 2 - 2, -1]]
    assert [tuple(corner) == (128,) * 3 for corner in corners] == [False, True, False]
    counts = histogram(mask)
    assert (counts[0], counts[255], counts[300], sum(counts)) == (16, 16, 32, 64)
    image = Image.open(io.BytesIO(palette_png(mask)))
    assert (np.asarray(image) == mask).all()
