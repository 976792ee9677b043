"""The image size that a program's input fixes -> train.image_size."""

from __future__ import annotations

from graphprobe.config import TrainSection
from graphprobe.ir import Program
from graphprobe.ops.image_input import fixed_image_size


def train_section(*programs: Program) -> TrainSection:
    """The default section ``train``, with the image size of the first program that fixes one.

    Args:
        programs: the student, then the teacher where there is one.
    """
    sizes = (fixed_image_size(program) for program in programs)
    size = next((size for size in sizes if size is not None), None)
    return TrainSection() if size is None else TrainSection(image_size=size)
