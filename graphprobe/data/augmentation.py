"""What happens to a sample on its way into a batch: the steps, their order, the normalisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graphprobe.data import transforms as t
from graphprobe.data.sample import Sample
from graphprobe.errors import DataError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """The augmentations of a training run and the size of its images.

    Args:
        sizes: sides of the square input, for detection multiples of 32 (the largest stride);
            with more than one, each batch draws its own.
        distort, expand, crop, flip: the steps of the published YOLOv3 training, each on or off.
        mixup: blend each sample with a second one; `TrainBatches` ends it at its `mixup_until`.
        scale: low and high factor of the random scaling of segmentation.
        mean, std: what the channels are normalised with, over 0..1, in the network's order.
        bgr: whether the network takes blue, green, red; samples are red, green, blue.

    Raises:
        DataError: a size is outside 32 to 4096.
    """

    sizes: tuple[int, ...]
    distort: bool = True
    expand: bool = True
    crop: bool = True
    flip: bool = True
    mixup: bool = False
    scale: tuple[float, float] = (0.5, 2.0)
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    bgr: bool = False

    def __post_init__(self) -> None:
        wrong = [size for size in self.sizes if not 32 <= size <= 4096]
        if not self.sizes or wrong:
            raise DataError(f"sizes must be from 32 to 4096, not {wrong or 'none'}", where="data")


def no_augmentation(size: int) -> Augmentation:
    """Resize and normalise alone."""
    return Augmentation(
        (size,), distort=False, expand=False, crop=False, flip=False, scale=(1.0, 1.0)
    )


def is_random(augmentation: Augmentation, task: str) -> bool:
    """Whether the same sample may come out differently another time.

    It names every step of `augment` that takes random numbers; a test compares it with whether
    the generator was used.
    """
    if len(set(augmentation.sizes)) > 1 or augmentation.distort or augmentation.flip:
        return True
    if task == "segmentation":
        return augmentation.scale != (1.0, 1.0)
    return augmentation.mixup or augmentation.expand or augmentation.crop


def augment(
    sample: Sample,
    augmentation: Augmentation,
    size: int,
    rng: np.random.Generator,
    partner: Callable[[], Sample] | None = None,
) -> Sample:
    """A training sample of size x size pixels.

    Args:
        partner: gives the sample that mixup blends in.
    """
    if sample.mask is not None:
        return _augment_mask(sample, augmentation, size, rng)
    if augmentation.mixup and partner is not None:
        sample = t.mixup(sample, partner(), rng)
    if augmentation.distort:
        sample = t.distort_colours(sample, rng)
    if augmentation.expand:
        sample = t.expand(sample, rng)
    if augmentation.crop:
        sample = t.random_crop(sample, rng)
    if augmentation.flip:
        sample = t.flip(sample, rng)
    if augmentation.distort or augmentation.expand or augmentation.crop:
        return t.random_resize(sample, rng, size)
    return t.resize(sample, size, size)


def _augment_mask(
    sample: Sample, augmentation: Augmentation, size: int, rng: np.random.Generator
) -> Sample:
    if augmentation.flip:
        sample = t.flip(sample, rng)
    if augmentation.distort:
        sample = t.distort_colours(sample, rng)
    if augmentation.scale == (1.0, 1.0):
        return t.resize(sample, size, size)
    return t.scale_and_crop(sample, rng, size, *augmentation.scale)
