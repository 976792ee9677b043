"""The augmentations of the published YOLOv3 recipes, as pure functions of a sample.

Each takes a sample and a seeded generator and returns a new sample; the input is never changed.
The settings are those of PaddleDetection 0.2 to 0.5 (configs/yolov3_*.yml).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import IGNORE, Flags, Image, Sample

if TYPE_CHECKING:
    from PIL import Image as Pillow

# The mean colour of ImageNet, in levels of 0..255: what a canvas is filled with.
MEAN_COLOUR = (123.675, 116.28, 103.53)
CROP_OVERLAPS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)


def mixup(first: Sample, second: Sample, rng: np.random.Generator, alpha: float = 1.5) -> Sample:
    """Blend two samples with a share drawn from Beta(alpha, alpha); scores hold the shares.

    Source: Zhang et al., "Bag of Freebies for Training Object Detection Neural Networks",
    arXiv 1902.04103.
    """
    share = float(rng.beta(alpha, alpha))
    high = max(first.size[0], second.size[0])
    wide = max(first.size[1], second.size[1])
    canvas = np.zeros((high, wide, 3), np.float32)
    for sample, part in ((first, share), (second, 1.0 - share)):
        canvas[: sample.size[0], : sample.size[1]] += sample.image * np.float32(part)
    return Sample(
        name=first.name,
        image=canvas.astype(np.uint8),
        boxes=np.concatenate([first.boxes, second.boxes]),
        classes=np.concatenate([first.classes, second.classes]),
        difficult=np.concatenate([first.difficult, second.difficult]),
        scores=np.concatenate(
            [first.scores * np.float32(share), second.scores * np.float32(1.0 - share)]
        ),
    )


def distort_colours(sample: Sample, rng: np.random.Generator) -> Sample:
    """Change brightness, contrast, saturation (0.5 to 1.5) and hue (18 degrees either way).

    Each with probability 1/2, in random order.
    """
    from PIL import Image as Pillow
    from PIL import ImageEnhance

    photo = Pillow.fromarray(sample.image)
    for step in rng.permutation(4):
        amount = float(rng.uniform(-1.0, 1.0))
        if rng.random() < 0.5:
            continue
        if step == 3:
            photo = _turn_hue(photo, 18.0 * amount)
        else:
            kind = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)[step]
            photo = kind(photo).enhance(1.0 + 0.5 * amount)
    return replace(sample, image=np.asarray(photo))


def _turn_hue(photo: Pillow.Image, degrees: float) -> Pillow.Image:
    from PIL import Image as Pillow

    shift = round(degrees * 256 / 360)
    hue, saturation, value = photo.convert("HSV").split()
    turned = hue.point([(level + shift) % 256 for level in range(256)])
    return Pillow.merge("HSV", (turned, saturation, value)).convert("RGB")


def expand(
    sample: Sample, rng: np.random.Generator, ratio: float = 4.0, probability: float = 0.5
) -> Sample:
    """Put the image on a canvas of the mean colour that is up to `ratio` times as wide."""
    if rng.random() >= probability:
        return sample
    factor = float(rng.uniform(1.0, ratio))
    height, width = sample.size
    high, wide = int(height * factor), int(width * factor)
    y, x = int(rng.integers(high - height + 1)), int(rng.integers(wide - width + 1))
    canvas = _blank(high, wide)
    canvas[y : y + height, x : x + width] = sample.image
    return replace(sample, image=canvas, boxes=sample.boxes + np.asarray([x, y, x, y], np.float32))


def _blank(high: int, wide: int) -> Image:
    """An image of the mean colour."""
    row = np.empty((wide, 3), np.uint8)
    row[:] = np.asarray(MEAN_COLOUR).round().astype(np.uint8)
    canvas = np.empty((high, wide, 3), np.uint8)
    canvas[:] = row  # whole rows are copied many times faster than single pixels
    return canvas


def random_crop(sample: Sample, rng: np.random.Generator) -> Sample:
    """Cut out a part that overlaps some box by a random least IoU, or leave the image whole.

    A part has sides of 0.3 to 1 of the image's and an aspect of 1/2 to 2; boxes whose centre
    lies outside are dropped. Source: the sampling of SSD, arXiv 1512.02325, section 2.2.
    """
    if not len(sample.boxes):
        return sample
    for choice in rng.permutation(len(CROP_OVERLAPS) + 1):
        if choice == len(CROP_OVERLAPS):
            return sample
        parts = _draw_parts(rng, sample.size, attempts=50)
        overlaps = _overlaps(parts, sample.boxes)
        kept = _centres_inside(parts, sample.boxes)
        good = np.flatnonzero((overlaps.max(1) >= CROP_OVERLAPS[choice]) & kept.any(1))
        if len(good):
            return cut(sample, parts[good[0]], kept[good[0]])
    return sample


def _draw_parts(
    rng: np.random.Generator, size: tuple[int, int], attempts: int
) -> NDArray[np.int64]:
    """Rectangles x1, y1, x2, y2 inside the image: [attempts, 4]."""
    height, width = size
    scale = rng.uniform(0.3, 1.0, attempts)
    aspect = rng.uniform(np.maximum(0.5, scale**2), np.minimum(2.0, scale**-2))
    high = np.maximum((height * scale / np.sqrt(aspect)).astype(np.int64), 1)
    wide = np.maximum((width * scale * np.sqrt(aspect)).astype(np.int64), 1)
    high, wide = np.minimum(high, height), np.minimum(wide, width)
    y = rng.integers(0, height - high + 1)
    x = rng.integers(0, width - wide + 1)
    return np.stack([x, y, x + wide, y + high], 1)


def _overlaps(a: NDArray[np.int64], b: NDArray[np.float32]) -> NDArray[np.float64]:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = (a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1)[None]
    ratio: NDArray[np.float64] = shared / np.maximum(areas - shared, 1e-9)
    return ratio


def _centres_inside(parts: NDArray[np.int64], boxes: NDArray[np.float32]) -> Flags:
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = (parts[:, None, :2] <= centre) & (centre < parts[:, None, 2:])
    kept: Flags = inside.all(2)
    return kept


def without_crowds(sample: Sample) -> Sample:
    """Drop the regions of many objects, from which no single object can be learned."""
    if sample.crowd is None or not sample.crowd.any():
        return sample
    kept = ~sample.crowd
    return replace(
        sample,
        boxes=sample.boxes[kept],
        classes=sample.classes[kept],
        difficult=sample.difficult[kept],
        scores=sample.scores[kept],
        areas=None if sample.areas is None else sample.areas[kept],
        crowd=None,
    )


def cut(sample: Sample, part: NDArray[np.int64], kept: Flags) -> Sample:
    """The part x1, y1, x2, y2 of an image, with the boxes marked as kept, cut at its edges."""
    x1, y1, x2, y2 = (int(value) for value in part)
    shifted = sample.boxes[kept] - np.asarray([x1, y1, x1, y1], np.float32)
    limit = np.asarray([x2 - x1, y2 - y1, x2 - x1, y2 - y1], np.float32)
    return replace(
        sample,
        image=sample.image[y1:y2, x1:x2],
        boxes=np.clip(shifted, np.float32(0), limit),
        classes=sample.classes[kept],
        difficult=sample.difficult[kept],
        scores=sample.scores[kept],
        areas=None,  # what is left of an outline is not known
        crowd=None if sample.crowd is None else sample.crowd[kept],
    )


def flip(sample: Sample, rng: np.random.Generator, probability: float = 0.5) -> Sample:
    """Mirror left to right."""
    if rng.random() >= probability:
        return sample
    width = np.float32(sample.size[1])
    boxes = sample.boxes.copy()
    boxes[:, 0], boxes[:, 2] = width - sample.boxes[:, 2], width - sample.boxes[:, 0]
    mask = None if sample.mask is None else sample.mask[:, ::-1]
    return replace(sample, image=sample.image[:, ::-1], boxes=boxes, mask=mask)


def resize(sample: Sample, height: int, width: int, method: int = 1) -> Sample:
    """Stretch to height x width, the mask with nearest neighbours.

    Args:
        method: 0 nearest, 1 bilinear, 2 bicubic, 3 box (the mean of an area), 4 Lanczos.
    """
    from PIL import Image as Pillow

    names = ("NEAREST", "BILINEAR", "BICUBIC", "BOX", "LANCZOS")
    if sample.size == (height, width):
        return sample
    scale = np.asarray([width / sample.size[1], height / sample.size[0]] * 2, np.float32)
    photo = Pillow.fromarray(np.ascontiguousarray(sample.image))
    image = np.asarray(photo.resize((width, height), Pillow.Resampling[names[method]]))
    mask = None if sample.mask is None else resize_mask(sample.mask, height, width)
    areas = None if sample.areas is None else sample.areas * float(scale[0] * scale[1])
    return replace(sample, image=image, boxes=sample.boxes * scale, mask=mask, areas=areas)


def resize_mask(mask: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Whole numbers [H, W] at another size, by nearest neighbours: none is mixed from two."""
    from PIL import Image as Pillow

    photo = Pillow.fromarray(np.ascontiguousarray(mask))
    return np.asarray(photo.resize((width, height), Pillow.Resampling.NEAREST))


def random_resize(sample: Sample, rng: np.random.Generator, size: int) -> Sample:
    """Stretch to size x size with a random method of interpolation."""
    return resize(sample, size, size, int(rng.integers(5)))


def scale_and_crop(
    sample: Sample, rng: np.random.Generator, size: int, low: float = 0.5, high: float = 2.0
) -> Sample:
    """Scale an image and its mask by a random factor, then cut or fill to size x size.

    What is filled has the mean colour and the ignored class. Source: the step scaling and
    random crop of DeepLabv3+, arXiv 1802.02611 (steps of 0.25).
    """
    factor = low + 0.25 * int(rng.integers(round((high - low) / 0.25) + 1))
    height, width = (max(1, round(side * factor)) for side in sample.size)
    scaled = fill(resize(sample, height, width), size)
    y = int(rng.integers(scaled.size[0] - size + 1))
    x = int(rng.integers(scaled.size[1] - size + 1))
    mask = None if scaled.mask is None else scaled.mask[y : y + size, x : x + size]
    return replace(scaled, image=scaled.image[y : y + size, x : x + size], mask=mask)


def fill(sample: Sample, size: int) -> Sample:
    """Fill an image on the right and below so that no side is shorter than `size`."""
    high, wide = max(size, sample.size[0]), max(size, sample.size[1])
    if (high, wide) == sample.size:
        return sample
    image = _blank(high, wide)
    image[: sample.size[0], : sample.size[1]] = sample.image
    mask = None
    if sample.mask is not None:
        mask = np.full((high, wide), IGNORE, np.uint8)
        mask[: sample.size[0], : sample.size[1]] = sample.mask
    return replace(sample, image=image, mask=mask)
