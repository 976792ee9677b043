"""What a augmentation does to a sample, and whether chance has a part in it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from graphprobe.data.augmentation import Augmentation, augment, is_random
from graphprobe.data.sample import detection_sample, segmentation_sample

SWITCHES = ("distort", "expand", "crop", "flip", "mixup")


def make(task):
    image = np.full((40, 60, 3), 20, np.uint8)
    if task == "segmentation":
        return segmentation_sample("s", image, np.ones((40, 60), np.uint8))
    return detection_sample("s", image, [[5, 5, 30, 30]], [0])


@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.5, 2.0)])
@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_draws_tells_whether_the_generator_was_used(task, scale):
    sample = make(task)
    found = set()
    for on in product((False, True), repeat=len(SWITCHES)):
        augmentation = Augmentation((32,), scale=scale, **dict(zip(SWITCHES, on, strict=True)))
        rng = np.random.default_rng(1)
        before = rng.bit_generator.state
        augment(sample, augmentation, 32, rng, lambda: sample)
        assert is_random(augmentation, task) == (rng.bit_generator.state != before), augmentation
        found.add(is_random(augmentation, task))
    assert found == ({True} if task == "segmentation" and scale[0] < 1 else {True, False})


def test_a_size_that_is_drawn_is_chance_too():
    off = dict.fromkeys(SWITCHES, False)
    assert not is_random(Augmentation((64,), **off), "detection")
    assert not is_random(Augmentation((64, 64), **off), "detection")
    assert is_random(Augmentation((64, 96), **off), "detection")
