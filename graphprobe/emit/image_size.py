"""The image size that a program's input fixes -> train.image_size."""

from __future__ import annotations

from graphprobe.config import TrainSection
from graphprobe.ir import Program


def train_section(*programs: Program) -> TrainSection:
    """The default section ``train``, with the image size of the first program that fixes one.

    Args:
        programs: the student, then the teacher where there is one.
    """
    sizes = (fixed_image_size(program) for program in programs)
    size = next((size for size in sizes if size is not None), None)
    return TrainSection() if size is None else TrainSection(image_size=size)


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
