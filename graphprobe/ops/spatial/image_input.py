"""The input that takes the image, and the size of images that it fixes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from graphprobe.ir import Op, Program
from graphprobe.ops.kinds import kind_of
from graphprobe.ops.spatial.info import IMAGE_CHANNELS, image_axes


class ImageInput(NamedTuple):
    """An input that takes images.

    Args:
        name: of the variable.
        channels: how many there are, -1 where open.
        height, width: in pixels, -1 where open.
        channels_last: [N, H, W, C] in place of [N, C, H, W].
    """

    name: str
    channels: int
    height: int
    width: int
    channels_last: bool


def image_inputs(program: Program) -> tuple[ImageInput, ...]:
    """The floating inputs of four axes with one or three channels, or an open number of them."""
    found = []
    for name, shape, axes in _maps(program):
        last = axes == (1, 2)
        channels = shape[3 if last else 1]
        if channels < 0 or channels in IMAGE_CHANNELS:
            height, width = (shape[axis] for axis in axes)
            found.append(ImageInput(name, channels, height, width, last))
    return tuple(found)


def image_input(program: Program) -> ImageInput | None:
    """The one input that takes the image; None where there is none, or several are such."""
    found = image_inputs(program)
    return found[0] if len(found) == 1 else None


def _maps(program: Program) -> Iterator[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """The floating inputs of four axes: name, shape, and the axes of H and W."""
    readers = _readers(program)
    for name in program.feeds:
        var = program.var(name)
        shape = None if var is None else var.shape
        axes = image_axes(shape, readers[name])
        if var is not None and shape is not None and axes and var.dtype.startswith("float"):
            yield name, shape, axes


def _readers(program: Program) -> dict[str, list[Op]]:
    """Name of an input -> the ops that read what is fed."""
    flow = program.dataflow
    found: dict[str, list[Op]] = defaultdict(list)
    for value in flow.values:
        producer = flow.producer(value)
        if producer is None or kind_of(producer.type) == "input":
            found[value.name] += flow.consumers(value)
    return found


def fixed_image_size(program: Program) -> int | None:
    """H = W in pixels of the image that a program takes; None where left open.

    Where several inputs take images, or H is not W, a config's single number cannot express it.
    """
    image = image_input(program)
    if image is None or image.height != image.width or image.height <= 0:
        return None
    return image.height


def counted_image_size(program: Program, otherwise: tuple[int, int]) -> tuple[int, int] | None:
    """H and W in pixels of the images that a program is counted for.

    Args:
        program: of any kind.
        otherwise: H and W where the program leaves them open.

    Returns:
        None where it is fed no floating tensor of four axes, or such of several sizes.
    """
    found = {
        tuple(
            shape[at] if shape[at] > 0 else size for at, size in zip(axes, otherwise, strict=True)
        )
        for _, shape, axes in _maps(program)
    }
    if len(found) != 1:
        return None
    height, width = found.pop()
    return height, width
