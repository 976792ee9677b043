"""Resize images as the preparation of exported models does, without smoothing before shrinking.

What reads images beside Paddle's models is OpenCV. Its interpolations take the 1, 2, 4 or 8 pixels
nearest to a point, however far an image shrinks; Pillow's average all that a new pixel covers. A
network sees the difference, so these follow OpenCV's, whose 8-bit results they meet within one
level of 255; smooth_bilinear and smooth_bicubic are Pillow's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Image

Interpolation: TypeAlias = Literal[
    "nearest", "bilinear", "bicubic", "area", "lanczos", "smooth_bilinear", "smooth_bicubic"
]
# In the order of OpenCV's numbers, which the files of PaddleDetection name: 0, 1, 2, 3, 4.
INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)
_SMOOTH = {"smooth_bilinear": "BILINEAR", "smooth_bicubic": "BICUBIC"}
_Weights: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def resized(image: Image, height: int, width: int, interpolation: Interpolation) -> Image:
    """The image in another size.

    Args:
        image: uint8 [H, W, C].
        height: of the result, in pixels.
        width: of the result, in pixels.
        interpolation: one of `INTERPOLATIONS`.

    Returns:
        uint8 [height, width, C].
    """
    if image.shape[:2] == (height, width):
        return image
    if interpolation == "nearest":
        rows, columns = _nearest(height, image.shape[0]), _nearest(width, image.shape[1])
        picked: Image = image[rows[:, None], columns]
        return picked
    if interpolation in _SMOOTH:
        return _by_pillow(image, height, width, _SMOOTH[interpolation])
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    if interpolation == "area" and shrinks:
        means = _means(_means(image.astype(np.float64), height).swapaxes(0, 1), width)
        return _levels(means.swapaxes(0, 1))
    taps, weights = _KERNELS.get(interpolation, _KERNELS["bilinear"])
    values = _along_rows(image.astype(np.float32), height, taps, weights)
    values = _along_rows(values.swapaxes(0, 1), width, taps, weights).swapaxes(0, 1)
    return _levels(values)


def _levels(values: NDArray[np.floating[Any]]) -> Image:
    levels: Image = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels


def _means(values: NDArray[np.float64], new: int) -> NDArray[np.float64]:
    """Shrink the first axis: each new row is the mean of what it covers, parts of rows too."""
    old = len(values)
    sums = np.concatenate([np.zeros_like(values[:1]), values.cumsum(0)])
    ends = np.arange(new + 1) * (old / new)
    whole = np.minimum(ends.astype(np.int64), old - 1)
    covered = sums[whole] + values[whole] * (ends - whole)[:, None, None]
    means: NDArray[np.float64] = np.diff(covered, axis=0) * (new / old)
    return means


def _nearest(new: int, old: int) -> NDArray[np.int64]:
    return np.minimum((np.arange(new) * (old / new)).astype(np.int64), old - 1)


def _by_pillow(image: Image, height: int, width: int, name: str) -> Image:
    """Pillow's, which smooths what it shrinks."""
    from PIL import Image as Pillow

    how = Pillow.Resampling[name]
    planes = [
        np.asarray(Pillow.fromarray(plane).resize((width, height), how))
        for plane in np.ascontiguousarray(image.transpose(2, 0, 1))
    ]
    return np.stack(planes, axis=2)


def _along_rows(
    values: NDArray[np.float32], new: int, taps: int, weights: _Weights
) -> NDArray[np.float32]:
    """Resize the first axis; pixels beyond an edge are those on it."""
    old = len(values)
    centre = (np.arange(new) + 0.5) * (old / new) - 0.5
    base = np.floor(centre)
    share = weights(centre - base).astype(np.float32)
    first = base.astype(np.int64) - (taps // 2 - 1)
    found = np.zeros((new, *values.shape[1:]), np.float32)
    for tap in range(taps):
        row = np.clip(first + tap, 0, old - 1)
        found += values[row] * share[tap][:, None, None]
    return found


def _linear(past: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of 2 pixels, [2, n], for points `past` the first of them."""
    return np.stack([1 - past, past])


def _cubic(past: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of 4 pixels: Keys' kernel with -0.75 (IEEE Transactions on Acoustics 29(6), 1981)."""
    a = -0.75
    distance = np.abs(past[None] - np.arange(-1, 3)[:, None])
    near = (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    far = a * (distance**3 - 5 * distance**2 + 8 * distance - 4)
    return np.where(distance <= 1, near, far)


def _lanczos(past: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of 8 pixels: sinc(x) sinc(x / 4), scaled so that they add up to 1."""
    distance = past[None] - np.arange(-3, 5)[:, None]
    weights = np.sinc(distance) * np.sinc(distance / 4)
    scaled: NDArray[np.float64] = weights / weights.sum(0)
    return scaled


_KERNELS: dict[str, tuple[int, _Weights]] = {
    "bilinear": (2, _linear),
    "bicubic": (4, _cubic),
    "lanczos": (8, _lanczos),
}
