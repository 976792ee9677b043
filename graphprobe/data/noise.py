"""A training batch without a data set: noise with one object, to try a program with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphprobe.data.augmentation import no_augmentation
from graphprobe.data.collate import collate_boxes, collate_masks
from graphprobe.data.sample import Arrays, detection_sample, segmentation_sample
from graphprobe.data.target_kinds import Meta
from graphprobe.data.targets import choose_targets


def noise_batch(feeds: Sequence[str], meta: Meta, size: int, count: int) -> Arrays:
    """Images of noise; all of class 0, or with a box of it in the middle, half as wide.

    The targets have the rows that a network compares with: a dense detector's inputs declare
    them as -1, and they follow from its cells.

    Args:
        feeds: names of a network's inputs in mode train.
        meta: its settings, as the zoo gives them.
        size: pixels of the square images.
        count: images.

    Raises:
        DataError: nothing makes one of the inputs.
    """
    pixels = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)
    if "mask" in feeds:
        mask = np.zeros((size, size), np.uint8)
        return collate_masks(
            [segmentation_sample("noise", p, mask) for p in pixels], no_augmentation(size)
        )
    box = [size / 4, size / 4, size * 3 / 4, size * 3 / 4]
    samples = [detection_sample("noise", p, [box], [0]) for p in pixels]
    return collate_boxes(samples, no_augmentation(size), choose_targets(feeds, meta))
