"""Augmentations keep images and boxes together, and never change their input."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from graphprobe.data import transforms as t
from graphprobe.data.sample import IGNORE, detection_sample, segmentation_sample


def make(height=40, width=60, count=3, seed=0):
    """A dark image with white boxes, so that boxes can be found again in the pixels."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 20, np.uint8)
    boxes = []
    for _ in range(count):
        x, y = rng.integers(0, width - 12), rng.integers(0, height - 12)
        boxes.append((x, y, x + rng.integers(6, 12), y + rng.integers(6, 12)))
        image[boxes[-1][1] : boxes[-1][3], boxes[-1][0] : boxes[-1][2]] = 240
    return detection_sample(f"made{seed}", image, boxes, range(count))


def bright(sample):
    """What share of the boxes' pixels is bright."""
    shares = [
        (sample.image[y1:y2, x1:x2] > 120).mean()
        for x1, y1, x2, y2 in sample.boxes.round().astype(int)
        if x2 > x1 and y2 > y1
    ]
    return min(shares, default=1.0)


STEPS = {
    "distort": t.distort_colours,
    "expand": lambda s, rng: t.expand(s, rng, probability=1.0),
    "crop": t.random_crop,
    "flip": lambda s, rng: t.flip(s, rng, probability=1.0),
    "resize": lambda s, rng: t.random_resize(s, rng, 64),
    "mixup": lambda s, rng: t.mixup(s, make(50, 30, seed=9), rng),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_pure_and_seeded(name):
    sample = make()
    before = copy.deepcopy(sample)
    for array in (sample.image, sample.boxes, sample.scores):
        array.setflags(write=False)
    results = [STEPS[name](sample, np.random.default_rng(5)) for _ in range(2)]
    for field in ("image", "boxes", "classes", "difficult", "scores"):
        assert (getattr(results[0], field) == getattr(results[1], field)).all()
        assert (getattr(sample, field) == getattr(before, field)).all()
        assert getattr(results[0], field).dtype == getattr(sample, field).dtype


@pytest.mark.parametrize("name", ["expand", "crop", "flip", "resize"])
@pytest.mark.parametrize("seed", range(12))
def test_boxes_stay_on_their_pixels(name, seed):
    sample = make(seed=seed)
    moved = STEPS[name](sample, np.random.default_rng(seed))
    height, width = moved.size
    assert (moved.boxes[:, :2] >= 0).all()
    assert (moved.boxes[:, 2] <= width).all()
    assert (moved.boxes[:, 3] <= height).all()
    assert bright(moved) > (0.7 if name == "resize" else 0.99)
    assert len(moved.boxes) == len(moved.classes) == len(moved.difficult) == len(moved.scores)


def test_flipping_twice_is_nothing():
    sample = make()
    twice = t.flip(t.flip(sample, np.random.default_rng(0), 1.0), np.random.default_rng(0), 1.0)
    assert (twice.image == sample.image).all()
    assert (twice.boxes == sample.boxes).all()


def test_crop_keeps_what_overlaps_enough():
    cropped = [t.random_crop(make(seed=i), np.random.default_rng(i)) for i in range(60)]
    sizes = {sample.size for sample in cropped}
    assert (40, 60) in sizes, "sometimes the image stays whole"
    assert len(sizes) > 20
    assert all(len(sample.boxes) >= 1 for sample in cropped)
    for height, width in sizes:
        assert height >= 0.3 * 40 * 0.7 - 1
        assert width >= 0.3 * 60 * 0.7 - 1
    empty = detection_sample("empty", np.zeros((9, 9, 3), np.uint8), [], [])
    assert t.random_crop(empty, np.random.default_rng(0)) is empty


def test_mixup_blends_pixels_and_shares_scores():
    first, second = make(40, 60), make(50, 30, count=2, seed=1)
    blend = t.mixup(first, second, np.random.default_rng(0))
    share = float(blend.scores[0])
    assert 0 < share < 1
    assert blend.size == (50, 60)
    assert len(blend.boxes) == 5
    assert blend.scores.tolist() == pytest.approx([share] * 3 + [1 - share] * 2)
    pixel = first.image[0, 0] * share + second.image[0, 0] * (1 - share)
    assert np.abs(blend.image[0, 0] - pixel).max() <= 1
    assert np.abs(blend.image[49, 0] - second.image[49, 0] * (1 - share)).max() <= 1


def test_hue_turns_the_colour_wheel():
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 200
    sample = detection_sample("red", red, [], [])
    seen = {
        tuple(t.distort_colours(sample, np.random.default_rng(i)).image[0, 0].tolist())
        for i in range(40)
    }
    assert len(seen) > 20
    assert any(g > 20 for _, g, _ in seen)
    assert any(b > 20 for _, _, b in seen)
    assert all(r > max(g, b) for r, g, b in seen), "18 degrees never leave red"


def test_scale_and_crop_fills_with_the_ignored_class():
    mask = np.ones((40, 60), np.uint8)
    sample = segmentation_sample("m", np.zeros((40, 60, 3), np.uint8), mask)
    seen = [t.scale_and_crop(sample, np.random.default_rng(i), 64) for i in range(20)]
    assert all(s.image.shape == (64, 64, 3) and s.mask.shape == (64, 64) for s in seen)
    assert {int(v) for s in seen for v in np.unique(s.mask)} == {1, IGNORE}
    for s in seen:
        assert (s.image[s.mask == 1] == 0).all()
        assert (s.image[s.mask == IGNORE] == [124, 116, 104]).all()
    filled = [s for s in seen if (s.mask == IGNORE).any()]
    assert 0 < len(filled) < 20
