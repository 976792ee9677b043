"""What happens to the size of an image on its way into a network, one step after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.preparation.resampling import Interpolation, resized
from graphprobe.data.sample import Image

Size: TypeAlias = tuple[int, int]
Kind: TypeAlias = Literal[
    "stretch",
    "fit",
    "short",
    "long",
    "at_least",
    "at_most",
    "same",
    "line",
    "letterbox",
    "crop",
    "pad",
    "pad_multiple",
]


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Args:
        kind: stretch: to `size`, whatever the ratio of the sides. fit: the ratio kept, the shorter
            side that of `size` unless the longer one would exceed it. short, long: the ratio kept,
            that side is size[0]. at_least, at_most: the ratio kept, only where the shorter side is
            below or the longer one above size[0]. same: to `multiple` alone. line: height size[0],
            the ratio kept up to width size[1], filled on the right. letterbox: the ratio kept
            inside of `size`, filled around. crop: the middle of `size`. pad: filled at the right
            and below to `size`. pad_multiple: so, to `multiple`.
        size: height and width, or what its kind takes.
        interpolation: of the kinds that resize.
        fill: level 0 to 255 of new pixels; None for 0 after the normalisation.
        multiple: what both sides are rounded to, of kinds that resize.
        up: round up, not to the nearest.
    """

    kind: Kind
    size: Size
    interpolation: Interpolation = "bilinear"
    fill: float | None = None
    multiple: int = 1
    up: bool = False

    def __str__(self) -> str:
        """What it does, in words."""
        text = _WORDS[self.kind].format(
            h=self.size[0], w=self.size[1], how=self.interpolation.replace("_", " ")
        )
        return f"{text}, sides multiples of {self.multiple}" if self.multiple > 1 else text


@dataclass(slots=True)
class Pixels:
    """An image between two steps.

    Args:
        image: uint8 [H, W, 3].
        scale: its height and width over those of the original.
        resized: height and width after the last step that resized.
        pads: what is to be added after the pixels are normalised: top, bottom, left, right, fill.
    """

    image: Image
    scale: tuple[float, float] = (1.0, 1.0)
    resized: Size = field(default=(0, 0))
    pads: list[tuple[int, int, int, int, float | None]] = field(default_factory=list)


def run_steps(image: Image, steps: tuple[Step, ...]) -> Pixels:
    """Take an image through all steps.

    Args:
        image: uint8 [H, W, 3].
        steps: in their order.
    """
    height, width = image.shape[:2]
    pixels = Pixels(image, resized=(height, width))
    for step in steps:
        _run(step, pixels)
    return pixels


def final_size(size: Size, steps: tuple[Step, ...]) -> Size:
    """The size that an image of this size gets, padding included."""
    for step in steps:
        size = _next_size(step, size)
    return size


def fixed_size(steps: tuple[Step, ...]) -> Size | None:
    """The size that every image gets; None where it depends on the image."""
    probes = {final_size(size, steps) for size in ((37, 911), (911, 37), (640, 480), (64, 64))}
    return probes.pop() if len(probes) == 1 else None


def _next_size(step: Step, size: Size) -> Size:
    if step.kind in ("pad", "letterbox", "line", "crop"):
        return step.size
    if step.kind == "pad_multiple":
        return _up(size[0], step.multiple), _up(size[1], step.multiple)
    height, width = _RESIZE[step.kind](step, size)
    return _rounded(step, height), _rounded(step, width)


def _rounded(step: Step, length: int) -> int:
    if step.up:
        return _up(length, step.multiple)
    return max(round(length / step.multiple), 1) * step.multiple


def _run(step: Step, pixels: Pixels) -> None:
    height, width = pixels.image.shape[:2]
    if step.kind == "crop":
        # An image smaller than the part that is wanted is enlarged first, as little as it takes.
        grow = max(step.size[0] / height, step.size[1] / width, 1.0)
        if grow > 1:
            _resize(pixels, (ceil(height * grow), ceil(width * grow)), step.interpolation)
            height, width = pixels.image.shape[:2]
        top, left = (height - step.size[0]) // 2, (width - step.size[1]) // 2
        pixels.image = pixels.image[top : top + step.size[0], left : left + step.size[1]]
    elif step.kind in ("pad", "pad_multiple"):
        wanted = _next_size(step, (height, width))
        inside = min(height, wanted[0]), min(width, wanted[1])
        if inside != (height, width):
            _resize(pixels, inside, step.interpolation)
        below, right = wanted[0] - inside[0], wanted[1] - inside[1]
        pixels.pads.append((0, below, 0, right, step.fill))
    elif step.kind == "letterbox":
        ratio = min(step.size[0] / height, step.size[1] / width)
        inside = max(round(height * ratio), 1), max(round(width * ratio), 1)
        _resize(pixels, inside, step.interpolation)
        rows, columns = (_halves(step.size[axis] - inside[axis]) for axis in (0, 1))
        pixels.pads.append((*rows, *columns, step.fill))
    elif step.kind == "line":
        inside = step.size[0], min(max(ceil(step.size[0] * width / height), 1), step.size[1])
        _resize(pixels, inside, step.interpolation)
        pixels.pads.append((0, 0, 0, step.size[1] - inside[1], step.fill))
    else:
        _resize(pixels, _next_size(step, (height, width)), step.interpolation)


def _resize(pixels: Pixels, size: Size, interpolation: Interpolation) -> None:
    height, width = pixels.image.shape[:2]
    pixels.image = resized(pixels.image, *size, interpolation)
    pixels.scale = pixels.scale[0] * size[0] / height, pixels.scale[1] * size[1] / width
    pixels.resized = size


def _halves(amount: int) -> tuple[int, int]:
    return amount // 2, amount - amount // 2


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _times(size: Size, factor: float) -> Size:
    return max(round(size[0] * factor), 1), max(round(size[1] * factor), 1)


def _fit(step: Step, size: Size) -> Size:
    factor = min(step.size) / min(size)
    if round(factor * max(size)) > max(step.size):
        factor = max(step.size) / max(size)
    return _times(size, factor)


def _at_least(step: Step, size: Size) -> Size:
    return _times(size, max(step.size[0] / min(size), 1.0))


def _at_most(step: Step, size: Size) -> Size:
    return _times(size, min(step.size[0] / max(size), 1.0))


_RESIZE: dict[str, Callable[[Step, Size], Size]] = {
    "stretch": lambda step, _size: step.size,
    "fit": _fit,
    "short": lambda step, size: _times(size, step.size[0] / min(size)),
    "long": lambda step, size: _times(size, step.size[0] / max(size)),
    "at_least": _at_least,
    "at_most": _at_most,
    "same": lambda _step, size: size,
}

_WORDS = {
    "stretch": "{how} to {h}x{w}",
    "fit": "{how} into {h}x{w}, ratio kept",
    "short": "{how}, short side {h}",
    "long": "{how}, long side {h}",
    "at_least": "{how}, short side at least {h}",
    "at_most": "{how}, long side at most {h}",
    "same": "{how}",
    "line": "{how} to height {h}, padded to width {w}",
    "letterbox": "{how} into {h}x{w}, padded around",
    "crop": "middle {h}x{w}",
    "pad": "padded to {h}x{w}",
    "pad_multiple": "padded",
}


def padded(
    values: NDArray[np.float32], pixels: Pixels, levels: Callable[[float], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Normalised pixels [H, W, C] with the pads that the steps asked for.

    Args:
        values: what `pixels.image` became.
        pixels: with its pads.
        levels: a level of 0 to 255 -> what normalising makes of it, a channel each.
    """
    for top, below, left, right, fill in pixels.pads:
        height, width, channels = values.shape
        whole = np.zeros((height + top + below, width + left + right, channels), np.float32)
        if fill is not None:
            whole[:] = levels(fill)
        whole[top : top + height, left : left + width] = values
        values = whole
    return values
