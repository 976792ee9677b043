"""Scenes painted from real handwritten digits: what digits and digits_seg share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Floats, Image, Integers
from graphprobe.errors import DataError

SPLITS = {"train": 0, "val": 1}
OPTIONS: dict[str, Any] = {
    "split": "train",
    "count": 200,
    "size": 96,
    "classes": 3,
    "max_digits": 4,
    "seed": 0,
}
_SPLIT_SEED = 20  # fixes which digits are for training and which for validation
_VAL_SHARE = 0.2
_INK = 0.35  # a pixel with at least this much ink belongs to the digit


@dataclass(frozen=True, slots=True)
class Scene:
    """One painted scene: image uint8 [S, S, 3], boxes float32 [n, 4], classes int64 [n],
    mask uint8 [S, S] with 0 for the background and 1 + class for a digit."""

    image: Image
    boxes: Floats
    classes: Integers
    mask: Image


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of both formats."""

    split: str
    count: int
    size: int
    classes: int
    max_digits: int
    seed: int

    def __post_init__(self) -> None:
        problems = []
        if self.split not in SPLITS:
            problems.append(f"split must be one of {', '.join(SPLITS)}, not {self.split!r}")
        for key, low, high in (
            ("count", 1, 10**9), ("size", 32, 4096), ("classes", 1, 10),
            ("max_digits", 1, 64), ("seed", 0, 2**31),
        ):  # fmt: skip
            if not low <= getattr(self, key) <= high:
                problems.append(f"{key} must be from {low} to {high}, not {getattr(self, key)}")
        if problems:
            raise DataError("; ".join(problems), where="digits")


@cache
def _digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """All 1797 digits: ink from 0 to 1, float32 [n, 8, 8], and their classes int64 [n]."""
    # made by tools/digits.py; digits.LICENSE.txt names the source
    with np.load(Path(__file__).with_name("digits.npz")) as found:
        return (found["images"] / 16.0).astype(np.float32), found["classes"].astype(np.int64)


@cache
def digits_of(split: str, classes: int) -> tuple[NDArray[np.int64], ...]:
    """For each class the indices of its digits in this split; train and val share none."""
    _, targets = _digits()
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(targets))
    held_out = int(len(order) * _VAL_SHARE)
    chosen = order[:held_out] if split == "val" else order[held_out:]
    return tuple(chosen[targets[chosen] == label] for label in range(classes))


def paint(settings: Settings, index: int) -> Scene:
    """The scene at this index: the same for the same settings, whatever was painted before."""
    rng = np.random.default_rng([settings.seed, SPLITS[settings.split], index])
    size = settings.size
    canvas = _background(rng, size)
    mask = np.zeros((size, size), np.uint8)
    boxes: list[tuple[int, int, int, int]] = []
    classes: list[int] = []
    for _ in range(int(rng.integers(1, settings.max_digits + 1))):
        label = int(rng.integers(settings.classes))
        ink = _draw_digit(rng, settings, label)
        box = _find_place(rng, size, ink.shape, boxes)
        if box is None:
            continue
        _blend(rng, canvas, mask, ink, box, label)
        boxes.append(box)
        classes.append(label)
    noise = rng.normal(0.0, rng.uniform(2.0, 12.0), canvas.shape)
    image = np.clip(canvas + noise, 0, 255).astype(np.uint8)
    return Scene(
        image,
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(classes, np.int64),
        mask,
    )


def _background(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Four random corner colours, blended: float32 [size, size, 3]."""
    corners = rng.uniform(20, 235, 3) + rng.uniform(-35, 35, (2, 2, 3))
    along = np.linspace(0.0, 1.0, size, dtype=np.float32)
    top = corners[0, 0] + (corners[0, 1] - corners[0, 0]) * along[:, None]
    low = corners[1, 0] + (corners[1, 1] - corners[1, 0]) * along[:, None]
    blend: NDArray[np.float32] = (top[None] + (low - top)[None] * along[:, None, None]).astype(
        np.float32
    )
    return blend


def _draw_digit(rng: np.random.Generator, settings: Settings, label: int) -> NDArray[np.float32]:
    """One digit of this class, enlarged, stretched and turned, cut to its ink: [h, w] of 0..1."""
    from PIL import Image as Pillow

    images, _ = _digits()
    choice = int(rng.choice(digits_of(settings.split, settings.classes)[label]))
    high = int(settings.size * rng.uniform(0.22, 0.55))
    wide = max(8, int(high * rng.uniform(0.8, 1.15)))
    small = Pillow.fromarray(np.pad(images[choice], 2))
    large = small.resize((wide * 3 // 2, high * 3 // 2), Pillow.Resampling.BICUBIC)
    turned = large.rotate(rng.uniform(-12, 12), Pillow.Resampling.BILINEAR, expand=True)
    ink = np.clip(np.asarray(turned), 0.0, 1.0)
    rows = np.flatnonzero((ink >= _INK).any(1))
    columns = np.flatnonzero((ink >= _INK).any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _find_place(
    rng: np.random.Generator,
    size: int,
    shape: tuple[int, ...],
    taken: list[tuple[int, int, int, int]],
) -> tuple[int, int, int, int] | None:
    """A place inside the image that covers little of the others, or None."""
    high, wide = shape
    if high >= size or wide >= size:
        return None
    for _ in range(20):
        x, y = int(rng.integers(size - wide)), int(rng.integers(size - high))
        box = (x, y, x + wide, y + high)
        if all(_covers(box, other) <= 0.1 for other in taken):
            return box
    return None


def _covers(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """What share of the smaller box the two have in common."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return wide * high / smaller


def _blend(
    rng: np.random.Generator,
    canvas: NDArray[np.float32],
    mask: Image,
    ink: NDArray[np.float32],
    box: tuple[int, int, int, int],
    label: int,
) -> None:
    """Paint the digit in a colour that stands out from what is under it."""
    x1, y1, x2, y2 = box
    under = canvas[y1:y2, x1:x2]
    colour = _contrasting(rng, under.mean((0, 1)))
    under += (colour - under) * ink[..., None]
    mask[y1:y2, x1:x2][ink >= _INK] = label + 1


def _contrasting(rng: np.random.Generator, under: NDArray[np.float32]) -> NDArray[np.float64]:
    """A random colour at least 70 levels lighter or darker than the one given, on average."""
    level = float(under.mean())
    darker = level > 185 or (level > 70 and bool(rng.integers(2)))
    middle = rng.uniform(0, level - 70) if darker else rng.uniform(level + 70, 255)
    return middle + rng.uniform(-30, 30, 3)


class Digits:
    """Scenes by index, painted when asked for.

    Args:
        settings: what to paint.
        task: ``detection`` or ``segmentation``.
        class_names: by index.
        finish: scene and name -> sample.
    """

    warnings: tuple[str, ...] = ()

    def __init__(
        self,
        settings: Settings,
        task: str,
        class_names: tuple[str, ...],
        finish: Callable[[Scene, str], Any],
    ) -> None:
        self.settings = settings
        self.task = task
        self.class_names = class_names
        self._finish = finish
        _digits()  # a missing package is an error on opening, and workers inherit the pixels

    def __len__(self) -> int:
        return self.settings.count

    def sample(self, index: int) -> Any:
        """Paint the scene at this index."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._finish(paint(self.settings, index), f"digits-{self.settings.split}-{index}")
