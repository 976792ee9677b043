"""Where an image lies in what a network is fed of it: labels go there, and answers come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.preparation.steps import Pixels, Size
from graphprobe.data.sample import IGNORE, Image
from graphprobe.data.transforms import resize_mask


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image lies in a network's input, in its pixels.

    Args:
        scale: the image's height and width there over those of the original.
        inside: its height and width there.
        corner: its top and left.
        whole: height and width of the input.
    """

    scale: tuple[float, float]
    inside: Size
    corner: Size
    whole: Size

    @staticmethod
    def of(pixels: Pixels) -> Placement:
        """What the steps of a preparation have done; none of them may have been a crop."""
        height, width = pixels.image.shape[:2]
        top, below, left, right = (sum(int(pad[i] or 0) for pad in pixels.pads) for i in range(4))
        whole = top + height + below, left + width + right
        return Placement(pixels.scale, (height, width), (top, left), whole)

    def row(self) -> NDArray[np.float64]:
        """All numbers, for a batch; `from_row` reads them."""
        return np.array([*self.scale, *self.inside, *self.corner, *self.whole], np.float64)

    @staticmethod
    def from_row(row: NDArray[np.float64]) -> Placement:
        """The placement of a row."""
        high, wide, *rest = row.tolist()
        height, width, top, left, whole_height, whole_width = map(round, rest)
        return Placement((high, wide), (height, width), (top, left), (whole_height, whole_width))

    def to_input(self, boxes: NDArray[Any]) -> NDArray[np.float32]:
        """Boxes [n, 4] of the original, left, top, right, bottom, in the input."""
        return (boxes * self._factors() + self._corners()).astype(np.float32)

    def to_original(self, boxes: NDArray[Any]) -> NDArray[np.float32]:
        """Boxes [n, 4] of the input, in the original."""
        return ((boxes - self._corners()) / self._factors()).astype(np.float32)

    def mask_in_input(self, mask: Image) -> Image:
        """A mask of the original, in the input; what is filled around it does not count."""
        found = np.full(self.whole, IGNORE, np.uint8)
        (top, left), (height, width) = self.corner, self.inside
        found[top : top + height, left : left + width] = resize_mask(mask, height, width)
        return found

    def shown(self, values: NDArray[Any]) -> NDArray[Any]:
        """The part of a map [..., h, w] of the input, of any resolution, that shows the image."""
        (top, left), (height, width) = self.corner, self.inside
        rows, columns = values.shape[-2] / self.whole[0], values.shape[-1] / self.whole[1]
        part = values[
            ...,
            round(top * rows) : max(round((top + height) * rows), 1),
            round(left * columns) : max(round((left + width) * columns), 1),
        ]
        return part if part.size else values

    def _factors(self) -> NDArray[np.float64]:
        return np.array([self.scale[1], self.scale[0]] * 2)

    def _corners(self) -> NDArray[np.float64]:
        return np.array([self.corner[1], self.corner[0]] * 2)
