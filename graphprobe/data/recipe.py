"""What happens to a sample on its way into a batch."""

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
class Recipe:
    """The augmentations of a training run and the size of its pictures.

    Args:
        sizes: sides of the square input, for detection multiples of 32 (the largest stride);
            with more than one, each batch draws its own.
        distort, expand, crop, flip: the steps of the YOLOv3 recipe, each on or off.
        mixup: the share of training (0 to 1) that blends samples by twos.
        scale: low and high factor of the random scaling of segmentation.
        mean, std: what the channels are normalised with, over 0..1, in the network's order.
        bgr: whether the network takes blue, green, red; samples are red, green, blue.
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


def plain(size: int) -> Recipe:
    """A recipe without augmentation."""
    return Recipe((size,), distort=False, expand=False, crop=False, flip=False, scale=(1.0, 1.0))


def draws(recipe: Recipe, task: str) -> bool:
    """Whether chance has a part in a sample on its way: the same one may come out differently.

    It names every step of `augment` that takes random numbers; the tests hold it against the
    state of the generator.
    """
    if len(set(recipe.sizes)) > 1 or recipe.distort or recipe.flip:
        return True
    if task == "segmentation":
        return recipe.scale != (1.0, 1.0)
    return recipe.mixup or recipe.expand or recipe.crop


def augment(
    sample: Sample,
    recipe: Recipe,
    size: int,
    rng: np.random.Generator,
    partner: Callable[[], Sample] | None = None,
) -> Sample:
    """A training sample of size x size pixels.

    Args:
        partner: gives the sample that mixup blends in.
    """
    if sample.mask is not None:
        return _augment_mask(sample, recipe, size, rng)
    if recipe.mixup and partner is not None:
        sample = t.mixup(sample, partner(), rng)
    if recipe.distort:
        sample = t.distort_colours(sample, rng)
    if recipe.expand:
        sample = t.expand(sample, rng)
    if recipe.crop:
        sample = t.random_crop(sample, rng)
    if recipe.flip:
        sample = t.flip(sample, rng)
    augments = recipe.distort or recipe.expand or recipe.crop
    return t.random_resize(sample, rng, size) if augments else t.resize(sample, size, size)


def _augment_mask(sample: Sample, recipe: Recipe, size: int, rng: np.random.Generator) -> Sample:
    if recipe.flip:
        sample = t.flip(sample, rng)
    if recipe.distort:
        sample = t.distort_colours(sample, rng)
    if recipe.scale == (1.0, 1.0):
        return t.resize(sample, size, size)
    return t.scale_and_crop(sample, rng, size, *recipe.scale)
