"""The size of images that a run trains at, where data and program leave it open."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from graphprobe.ir import Program
from graphprobe.ops.spatial.image_input import image_input

if TYPE_CHECKING:
    from graphprobe.config import TrainSection
    from graphprobe.data.sample import Dataset
    from graphprobe.training.reporting.progress import Log

# So many images are looked at, at most, evenly over the data.
_LOOKED_AT = 24
# Images whose longer side is at most this share of the published size are not enlarged to it.
_SMALL = 0.6
_STEP = 32


def fit_image_size(
    train: TrainSection, data: Dataset, programs: Sequence[Program], log: Log
) -> TrainSection:
    """The section with a smaller size of images where all that were looked at are small.

    A detector that takes images of any size would enlarge them to the published one, at the price
    of work that shows it nothing.

    Args:
        train: with the published size.
        data: what is trained on.
        programs: the student, then the teacher; a size that one of them fixes stays.
        log: takes the line about it.

    Raises:
        DataError: an image cannot be read.
    """
    if data.task != "detection" or train.preparation.size is not None or not len(data):
        return train
    inputs = [found for program in programs if (found := image_input(program)) is not None]
    if any(max(found.height, found.width) > 0 for found in inputs):
        return train
    step = ceil(len(data) / _LOOKED_AT)
    shapes = [data.sample(at).image.shape for at in range(0, len(data), step)]
    longest = max(max(shape[:2]) for shape in shapes)
    if longest > _SMALL * train.image_size:
        return train
    size = ceil(longest / _STEP) * _STEP
    log(
        f"images: at most {longest} pixels a side; trains at {size} x {size}, not at the published "
        f"{train.image_size} x {train.image_size} (train.image_size)"
    )
    return train.model_copy(update={"image_size": size})
