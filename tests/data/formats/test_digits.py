"""Scenes of digits: seeded, inside the image, and with masks that agree with the boxes."""

from __future__ import annotations

import io
import runpy
from pathlib import Path

import numpy as np
import pytest

from graphprobe.data.formats._digits import _digits, digits_of
from graphprobe.data.open import open_data
from graphprobe.errors import DataError


def test_a_scene_is_the_same_in_any_order():
    a, b = open_data("digits?count=6"), open_data("digits?count=60")
    forward = [a.sample(i) for i in range(6)]
    backward = [b.sample(i) for i in reversed(range(6))]
    for one, other in zip(forward, reversed(backward), strict=True):
        assert (one.image == other.image).all()
        assert (one.boxes == other.boxes).all()
    assert not (a.sample(0).image == a.sample(1).image).all()
    other_seed = open_data("digits?count=6&seed=1")
    assert not (a.sample(0).image == other_seed.sample(0).image).all()


def test_the_digits_are_those_of_scikit_learn():
    found = pytest.importorskip("sklearn.datasets").load_digits()
    images, classes = _digits()
    assert (images * 16 == found.images).all()
    assert (classes == found.target).all()


def test_the_command_makes_the_file_that_is_there():
    path = Path(__file__).resolve().parents[3] / "tools" / "digits.py"
    pytest.importorskip("sklearn")
    tool = runpy.run_path(str(path))
    made, there = (np.load(f) for f in (io.BytesIO(tool["make"]()), tool["TARGET"]))
    assert set(made) == set(there) == {"images", "classes"}
    for name in made:
        np.testing.assert_array_equal(made[name], there[name])
        assert made[name].dtype == there[name].dtype == np.uint8
    assert tool["TARGET"].stat().st_size < 46_000
    assert "CC BY 4.0" in tool["TARGET"].with_suffix(".LICENSE.txt").read_text()


def test_train_and_val_share_no_digit():
    train = np.concatenate(digits_of("train", 10))
    val = np.concatenate(digits_of("val", 10))
    assert not set(train) & set(val)
    assert len(train) + len(val) == 1797
    assert min(len(found) for found in digits_of("val", 10)) > 20


@pytest.mark.parametrize("size", [32, 96, 160])
def test_boxes_lie_inside_and_hardly_overlap(size):
    data = open_data(f"digits?count=40&size={size}&classes=10&max_digits=6")
    seen = set()
    for index in range(len(data)):
        sample = data.sample(index)
        assert sample.image.shape == (size, size, 3)
        assert sample.image.dtype == np.uint8
        assert 1 <= len(sample.boxes) <= 6
        assert (sample.boxes >= 0).all()
        assert (sample.boxes <= size).all()
        assert (sample.boxes[:, 2:] - sample.boxes[:, :2] >= 3).all()
        seen |= set(sample.classes.tolist())
    assert seen == set(range(10))


def test_masks_agree_with_boxes():
    boxes = open_data("digits?count=30&classes=10")
    masks = open_data("digits_seg?count=30&classes=10")
    assert masks.task == "segmentation"
    assert masks.class_names == ("background", *"0123456789")
    for index in range(30):
        box, mask = boxes.sample(index), masks.sample(index)
        assert (box.image == mask.image).all()
        inside = np.zeros(mask.mask.shape, bool)
        for x1, y1, x2, y2 in box.boxes.astype(int):
            inside[y1:y2, x1:x2] = True
        assert not mask.mask[~inside].any()
        assert set(np.unique(mask.mask)) - {0} == {label + 1 for label in box.classes.tolist()}


def test_wrong_options_are_told_at_once():
    with pytest.raises(DataError) as caught:
        open_data("digits?size=8&classes=11&split=test&count=0")
    text = str(caught.value)
    for word in ("split must be one of train, val", "size must", "classes must", "count must"):
        assert word in text


def test_an_index_outside_is_refused():
    with pytest.raises(IndexError):
        open_data("digits?count=3").sample(3)
