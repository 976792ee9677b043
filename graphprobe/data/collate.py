"""Lay samples of one size into the arrays that a program is fed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.augmentation import Augmentation
from graphprobe.data.sample import IGNORE, Arrays, Sample
from graphprobe.data.targets import Targets
from graphprobe.errors import DataError


def stack_images(samples: Sequence[Sample], augmentation: Augmentation) -> NDArray[np.float32]:
    """Normalised float32 [N, 3, H, W], RGB, or BGR where the augmentation asks for it."""
    pixels = np.stack([sample.image for sample in samples]).transpose(0, 3, 1, 2)
    if augmentation.bgr:
        pixels = pixels[:, ::-1]
    std = np.asarray(augmentation.std, np.float32).reshape(1, 3, 1, 1)
    mean = np.asarray(augmentation.mean, np.float32).reshape(1, 3, 1, 1)
    images = np.multiply(pixels, 1 / (255 * std), dtype=np.float32, order="C")
    images -= mean / std
    return images


def collate_boxes(
    samples: Sequence[Sample], augmentation: Augmentation, targets: Targets
) -> Arrays:
    """Training arrays of detection.

    Returns:
        image float32 [N, 3, H, W] and what `targets` makes; see graphprobe/data/target_kinds.
    """
    return {"image": stack_images(samples, augmentation), **targets.batch(samples)}


def collate_masks(samples: Sequence[Sample], augmentation: Augmentation) -> Arrays:
    """Training arrays of segmentation.

    Returns:
        image float32 [N, 3, H, W]; label int32 [N, 1, H, W], 0 where ignored; mask int32
        [N, 1, H, W], 1 where a pixel counts and 0 where its class is not known.
    """
    masks = np.stack([mask_of(sample) for sample in samples])[:, None]
    return {"image": stack_images(samples, augmentation), **mask_arrays(masks)}


def mask_arrays(masks: NDArray[np.uint8]) -> Arrays:
    """``label`` and ``mask`` of `collate_masks` from masks [N, 1, H, W]."""
    counts = masks != IGNORE
    return {"label": np.where(counts, masks, 0).astype(np.int32), "mask": counts.astype(np.int32)}


def collate_labels(samples: Sequence[Sample], augmentation: Augmentation) -> Arrays:
    """Training arrays of classification.

    Returns:
        image float32 [N, 3, H, W]; label int64 [N, 1].
    """
    return {"image": stack_images(samples, augmentation), "label": label_column(samples)}


def label_column(samples: Sequence[Sample]) -> NDArray[np.int64]:
    """The classes of images, int64 [N, 1]."""
    return np.array([[_label_of(sample)] for sample in samples], np.int64)


def stack_arrays(samples: Sequence[Sample]) -> Arrays:
    """The arrays of samples that hold a program's inputs, with the samples along a first axis.

    Raises:
        DataError: two samples differ in names, shapes or types.
    """
    first = samples[0]
    for sample in samples[1:]:
        if _kinds(sample) != _kinds(first):
            raise DataError(
                f"has {_kinds(sample)}, and {first.name} {_kinds(first)}", where=sample.name
            )
    return {
        name: np.stack([(sample.arrays or {})[name] for sample in samples])
        for name in first.arrays or {}
    }


def _kinds(sample: Sample) -> dict[str, str]:
    arrays = sample.arrays or {}
    return {name: f"{a.dtype}{list(a.shape)}" for name, a in sorted(arrays.items())}


def _label_of(sample: Sample) -> int:
    if sample.label is None:
        raise TypeError(f"{sample.name} has no label")
    return sample.label


def mask_of(sample: Sample) -> NDArray[np.uint8]:
    """The mask of a sample that has one."""
    if sample.mask is None:
        raise TypeError(f"{sample.name} has no mask")
    return sample.mask
