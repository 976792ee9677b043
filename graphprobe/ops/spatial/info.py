"""Where H and W are in a tensor, and how much smaller it is than the image, op by op.

H and W of programs are often -1, so strides come from what each op does to the size, not from
shapes; declared sizes are used only where an op's attributes leave them open (a resize to a fixed
size).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from graphprobe.ir import Op, Shape

# Gray, or red, green and blue.
IMAGE_CHANNELS = (1, 3)


class SpatialInfo(NamedTuple):
    """The spatial axes of a tensor.

    Args:
        h: axis of the height; None where the axes were flattened into others.
        w: axis of the width; None likewise.
        down_h: height of the image / height of the tensor.
        down_w: width of the image / width of the tensor.
        image: height and width of the image, -1 where unknown.
    """

    h: int | None
    w: int | None
    down_h: float
    down_w: float
    image: tuple[int, int] = (-1, -1)

    @property
    def strides(self) -> tuple[float, float]:
        """Height of the image / height of the tensor and the same of the widths, rounded."""
        return round(self.down_h, 2), round(self.down_w, 2)

    def scaled(self, factor_h: float, factor_w: float) -> SpatialInfo:
        """The place after the size was divided by these factors."""
        return self._replace(down_h=self.down_h * factor_h, down_w=self.down_w * factor_w)

    def moved(self, h: int | None, w: int | None) -> SpatialInfo:
        """The same size on other axes."""
        return self._replace(h=h, w=w)


class Step(NamedTuple):
    """One op as the table's functions see it.

    Args:
        op: the op.
        place: of its main input.
        before: shape of its main input.
        after: shape of its output.
        size: place of the tensor whose size a resize copies (through ``shape``), if any.
    """

    op: Op
    place: SpatialInfo
    before: Shape | None
    after: Shape | None
    size: SpatialInfo | None = None


# The place of an op's output, or None where the op leaves no H and W.
SpatialRule: TypeAlias = Callable[[Step], SpatialInfo | None]


def image_axes(shape: Shape | None, readers: Iterable[Op]) -> tuple[int, ...]:
    """The axes of H and W of an image fed to a program; none for what has not four axes.

    Args:
        shape: of the image, [N, C, H, W]; [N, H, W, C] where a reader is so set, or where
            none is set and only the last axis can be one of an image's channels.
        readers: the ops that read it.
    """
    if shape is None or len(shape) != 4:
        return ()
    formats = {op.get_str("data_format") for op in readers}
    fits_last = shape[3] in IMAGE_CHANNELS and shape[1] not in (-1, *IMAGE_CHANNELS)
    last = "NHWC" in formats or (fits_last and "NCHW" not in formats)
    return (1, 2) if last else (2, 3)


def image_spatial(
    shape: Shape | None, readers: Iterable[Op], image: tuple[int, int] = (-1, -1)
) -> SpatialInfo | None:
    """The place of an image fed to a program; None where its four axes are not known.

    Args:
        shape: of the image, [N, C, H, W]; [N, H, W, C] where an op that reads it is so set.
        readers: the ops that read it.
        image: H and W where the shape leaves them open.
    """
    axes = image_axes(shape, readers)
    if shape is None or not axes:
        return None
    h, w = axes
    height = shape[h] if shape[h] > 0 else image[0]
    width = shape[w] if shape[w] > 0 else image[1]
    return SpatialInfo(h, w, 1.0, 1.0, (height, width))
