"""How an image becomes what a network is fed: the steps, the channels, the normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.preparation.placement import Placement
from graphprobe.data.preparation.steps import Pixels, Size, Step, final_size, padded, run_steps
from graphprobe.data.sample import Arrays, Image
from graphprobe.errors import DataError


@dataclass(frozen=True, slots=True)
class Preparation:
    """How the images of one program are prepared.

    Args:
        steps: what happens to their size, in order.
        mean, std: what is taken off and divided by, a channel each in the order of the channels,
            after the scale.
        scale: what levels of 0 to 255 are multiplied with first.
        bgr: whether the channels are blue, green, red.
        gray: one channel, the luma of the image.
        channels_last: [H, W, C] in place of [C, H, W].
        source: where it is from, for people.
    """

    steps: tuple[Step, ...] = ()
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    scale: float = 1.0 / 255.0
    bgr: bool = False
    gray: bool = False
    channels_last: bool = False
    source: str = ""

    @property
    def channels(self) -> int:
        """How many there are."""
        return 1 if self.gray else 3

    def at(self, size: Size) -> Preparation:
        """The same with every image stretched to one size, as a batch needs it."""
        how = self.steps[0].interpolation if self.steps else "bilinear"
        return replace(self, steps=(Step("stretch", size, how),))

    def size_of(self, size: Size) -> Size:
        """Height and width that an image of this height and width gets."""
        return final_size(size, self.steps)

    def pixels(self, image: Image) -> tuple[NDArray[np.float32], Pixels]:
        """What the network is fed of an image, and what happened to its size.

        Args:
            image: uint8 [H, W, 3], red, green, blue.

        Returns:
            float32 [C, H, W], or [H, W, C] with `channels_last`.
        """
        found = run_steps(image, self.steps)
        values = padded(self._normalised(found.image), found, self._level)
        if not self.channels_last:
            values = np.ascontiguousarray(values.transpose(2, 0, 1))
        return values, found

    def _normalised(self, image: Image) -> NDArray[np.float32]:
        if self.gray:
            weights = np.asarray([0.299, 0.587, 0.114], np.float32)
            values = np.rint(image.astype(np.float32) @ weights)[..., None]
        else:
            values = (image[..., ::-1] if self.bgr else image).astype(np.float32)
        return self._over_std(values)

    def _level(self, level: float) -> NDArray[np.float32]:
        return self._over_std(np.full(self.channels, level, np.float32))

    def _over_std(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        mean, std = (np.asarray(x, np.float32) for x in (self.mean, self.std))
        normalised: NDArray[np.float32] = (values * np.float32(self.scale) - mean) / std
        return normalised

    def __str__(self) -> str:
        """One line for people."""
        channels = "gray" if self.gray else "BGR" if self.bgr else "RGB"
        scale = "/ 255" if abs(self.scale * 255 - 1) < 1e-4 else f"x {self.scale:g}"
        parts = [*map(str, self.steps), channels + ("" if self.scale == 1 else f" {scale}")]
        if any(self.mean) or any(x != 1 for x in self.std):
            parts.append(f"mean {_numbers(self.mean)}, std {_numbers(self.std)}")
        text = ", ".join(parts)
        return f"{text} (from {self.source})" if self.source else text


def _numbers(values: Sequence[float]) -> str:
    shown = values[:1] if len(set(values)) == 1 else values
    return " ".join(f"{value:g}" for value in shown)


@dataclass(frozen=True, slots=True)
class InputPlan:
    """What each input of a program is fed of an image.

    Args:
        image: the name of the input that takes the pixels.
        others: name of another input -> what it gets, a key of `FILLED`.
        preparation: of the pixels.
    """

    image: str
    others: Mapping[str, str]
    preparation: Preparation

    def prepare(self, image: Image) -> Arrays:
        """The arrays of one image by input, without a batch axis.

        Args:
            image: uint8 [H, W, 3], red, green, blue.
        """
        return self.prepare_with(image)[0]

    def prepare_with(self, image: Image) -> tuple[Arrays, Pixels]:
        """The same, and what happened to the size of the image."""
        pixels, found = self.preparation.pixels(image)
        original: Size = (image.shape[0], image.shape[1])
        arrays: Arrays = {self.image: pixels}
        for name, kind in self.others.items():
            arrays[name] = _filled(kind, found, original)
        return arrays, found

    def batch(self, images: Sequence[Image]) -> Arrays:
        """The arrays of several images, [N, ...].

        Raises:
            DataError: they come out in different sizes; `at` gives them one.
        """
        return self.batch_with(images)[0]

    def batch_with(self, images: Sequence[Image]) -> tuple[Arrays, list[Placement]]:
        """The same, and where each image lies.

        Raises:
            DataError: as `batch`.
        """
        found = [self.prepare_with(image) for image in images]
        rows = [arrays for arrays, _ in found]
        sizes = {row[self.image].shape for row in rows}
        if len(sizes) > 1:
            text = ", ".join("x".join(map(str, size)) for size in sorted(sizes))
            raise DataError(
                f"the images of a batch come out in different sizes: {text}",
                where="data",
                hint="give them one size, or take one image a batch",
            )
        stacked = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        return stacked, [Placement.of(pixels) for _, pixels in found]

    @property
    def cuts(self) -> bool:
        """Whether parts of images are cut away, so that labels of places have none."""
        return any(step.kind == "crop" for step in self.preparation.steps)

    def at(self, size: Size) -> InputPlan:
        """The same with every image stretched to one size."""
        return replace(self, preparation=self.preparation.at(size))


# What inputs beside the pixels are filled with, of one image.
FILLED = {
    "resized": "float32 [2]: height and width after resizing, before padding",
    "scale": "float32 [2]: height and width after resizing over those of the original",
    "original": "int32 [2]: height and width of the original",
    "info": "float32 [3]: height and width after resizing, and the factor",
    "original3": "float32 [3]: height and width of the original, and 1",
}


def _filled(kind: str, found: Pixels, original: Size) -> NDArray[np.generic]:
    if kind == "resized":
        return np.asarray(found.resized, np.float32)
    if kind == "scale":
        return np.asarray(found.scale, np.float32)
    if kind == "original":
        return np.asarray(original, np.int32)
    if kind == "info":
        return np.asarray([*found.resized, found.scale[0]], np.float32)
    return np.asarray([*original, 1.0], np.float32)
