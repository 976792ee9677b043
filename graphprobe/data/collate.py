"""Lay samples of one size into the arrays that a program is fed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.recipe import Recipe
from graphprobe.data.sample import IGNORE, Sample
from graphprobe.data.targets import YoloTargets

Feed = dict[str, NDArray[Any]]


def stack_images(samples: Sequence[Sample], recipe: Recipe) -> NDArray[np.float32]:
    """Normalised float32 [N, 3, H, W], RGB."""
    pixels = np.stack([sample.image for sample in samples]).transpose(0, 3, 1, 2)
    std = np.asarray(recipe.std, np.float32).reshape(1, 3, 1, 1)
    mean = np.asarray(recipe.mean, np.float32).reshape(1, 3, 1, 1)
    images = np.multiply(pixels, 1 / (255 * std), dtype=np.float32, order="C")
    images -= mean / std
    return images


def collate_boxes(
    samples: Sequence[Sample], recipe: Recipe, targets: YoloTargets | None = None
) -> Feed:
    """Training arrays of detection.

    Returns:
        image float32 [N, 3, H, W]; gt_bbox float32 [N, M, 4], centre x, y, width, height over
        the picture's sides; gt_class int32 [N, M]; gt_score float32 [N, M]; unused rows are 0.
        With `targets` also target0, target1, ...: float32 [N, anchors, 6 + C, h, w].
    """
    count, most = len(samples), recipe.max_boxes
    boxes = np.zeros((count, most, 4), np.float32)
    classes = np.zeros((count, most), np.int32)
    scores = np.zeros((count, most), np.float32)
    for row, sample in enumerate(samples):
        used = min(most, len(sample.boxes))
        boxes[row, :used] = centre_boxes(sample)[:used]
        classes[row, :used] = sample.classes[:used]
        scores[row, :used] = sample.scores[:used]
    feed: Feed = {
        "image": stack_images(samples, recipe),
        "gt_bbox": boxes,
        "gt_class": classes,
        "gt_score": scores,
    }
    if targets is not None:
        size = samples[0].size[0]
        made = [targets.make(size, *rows) for rows in zip(boxes, classes, scores, strict=True)]
        for scale, arrays in enumerate(zip(*made, strict=True)):
            feed[f"target{scale}"] = np.stack(arrays)
    return feed


def centre_boxes(sample: Sample) -> NDArray[np.float32]:
    """Boxes as centre x, y, width, height over the picture's sides: float32 [n, 4]."""
    height, width = sample.size
    low, high = sample.boxes[:, :2], sample.boxes[:, 2:]
    over = np.asarray([width, height], np.float32)
    return np.concatenate([(low + high) / 2 / over, (high - low) / over], 1)


def collate_masks(samples: Sequence[Sample], recipe: Recipe) -> Feed:
    """Training arrays of segmentation.

    Returns:
        image float32 [N, 3, H, W]; label int32 [N, 1, H, W], 0 where ignored; mask int32
        [N, 1, H, W], 1 where a pixel counts and 0 where its class is not known.
    """
    masks = np.stack([_mask_of(sample) for sample in samples])[:, None]
    counts = masks != IGNORE
    return {
        "image": stack_images(samples, recipe),
        "label": np.where(counts, masks, 0).astype(np.int32),
        "mask": counts.astype(np.int32),
    }


def _mask_of(sample: Sample) -> NDArray[np.uint8]:
    if sample.mask is None:
        raise TypeError(f"{sample.name} has no mask")
    return sample.mask
