"""The size of images that the input of a program fixes."""

from __future__ import annotations

from graphprobe.ir import Program
from graphprobe.ops.spatial import image_axes


def fixed_image_size(program: Program) -> int | None:
    """H = W in pixels of the image that a program takes, [N, 3, H, W]; None where left open.

    The image is the one floating input of four dimensions and three channels; where several are
    such, or H is not W, a config's single number cannot express it.
    """
    shapes = [
        var.shape
        for var in map(program.blocks[0].vars.get, program.feeds)
        if var is not None
        and var.shape is not None
        and var.dtype.startswith("float")
        and len(var.shape) == 4
        and var.shape[1] == 3
    ]
    if len(shapes) != 1:
        return None
    height, width = shapes[0][2:]
    return height if height == width and height > 0 else None


def counted_image_size(program: Program, otherwise: tuple[int, int]) -> tuple[int, int] | None:
    """H and W in pixels of the images that a program is counted for.

    Args:
        program: of any kind.
        otherwise: H and W where the program leaves them open.

    Returns:
        None where it is fed no floating tensor of four axes, or such of several sizes.
    """
    flow, found = program.dataflow, set()
    for value in flow.values:
        var = program.var(value.name, value.block)
        if value.name not in program.feeds or var is None or not var.dtype.startswith("float"):
            continue
        axes = image_axes(var.shape, flow.consumers(value))
        if var.shape is not None and axes:
            fixed = (var.shape[axis] for axis in axes)
            found.add(tuple(a if a > 0 else b for a, b in zip(fixed, otherwise, strict=True)))
    if len(found) != 1:
        return None
    height, width = found.pop()
    return height, width
