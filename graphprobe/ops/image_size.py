"""The size of images that the input of a program fixes."""

from __future__ import annotations

from graphprobe.ir import Program


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
