"""The values of pixels that a network wants, and those of one network as another wants them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphprobe.config import DistillConfig, TrainSection
from graphprobe.data.augmentation import IMAGENET_MEAN, IMAGENET_STD
from graphprobe.data.open import parse_spec
from graphprobe.errors import ConfigError, Problem
from graphprobe.training.feeding.inputs import input_plan
from graphprobe.training.reporting.progress import Log
from graphprobe.zoo import EXPORTED, Built

Convert: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class PixelValues:
    """What a level of 0 to 1 becomes: minus the mean, over the deviation, in this order.

    Args:
        mean, std: a number a channel, in the network's order.
        bgr: whether that is blue, green, red.
        channels_last: [N, H, W, C] in place of [N, C, H, W].
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    bgr: bool = False
    channels_last: bool = False

    def __str__(self) -> str:
        order = "gray" if len(self.mean) == 1 else "BGR" if self.bgr else "RGB"
        mean, std = (", ".join(f"{v:g}" for v in values) for values in (self.mean, self.std))
        return f"{order} / 255, minus ({mean}), over ({std})"


def pixel_values(
    section: TrainSection, built: Built, student: PixelValues | None = None
) -> PixelValues:
    """What a network wants.

    Args:
        section: of the run.
        built: the network.
        student: what stands for an exported teacher that has no file beside it.

    Raises:
        DataError: nothing states what an exported program wants.
    """
    if built.task == EXPORTED and built.meta["beside"] is None and student is not None:
        return student
    if built.task == EXPORTED:
        plan = input_plan(section, built)
        assert plan is not None  # noqa: S101 - it is exported
        found = plan.preparation
        unit = 255 * found.scale
        mean, std = (tuple(v / unit for v in values) for values in (found.mean, found.std))
        return PixelValues(mean, std, found.bgr, found.channels_last)
    meta = built.meta
    return PixelValues(
        tuple(meta.get("image_mean", IMAGENET_MEAN)),
        tuple(meta.get("image_std", IMAGENET_STD)),
        meta.get("image_channels", "rgb") == "bgr",
    )


def teacher_pixels(
    config: DistillConfig, student: Built, teacher: Built, log: Log
) -> Convert | None:
    """What makes the student's images such as the teacher of a run wants them.

    Args:
        config: of the run; only a teacher in the inference engine gets images of its own.
        student: built.
        teacher: built.
        log: takes a line where they differ.

    Raises:
        ConfigError, DataError: as `converter_of`.
    """
    convert = converter_of(config.train, student, teacher)
    if convert is None:
        return None
    ours = pixel_values(config.train, student)
    text = f"the student is fed {ours}; the teacher {pixel_values(config.train, teacher, ours)}"
    engine = config.train.teacher_engine
    if engine == "inference":
        log(f"images: {text}")
        return convert
    log(f"warning: {text}, but with teacher_engine={engine} it gets the student's: take inference")
    return None


def converter_of(section: TrainSection, student: Built, teacher: Built) -> Convert | None:
    """What makes the student's images such as the teacher wants them; None where they are.

    Raises:
        ConfigError: it cannot be made of them.
        DataError: nothing states what an exported program wants.
    """
    if reads_arrays(section):
        return None
    ours = pixel_values(section, student)
    return converter(ours, pixel_values(section, teacher, ours))


def reads_arrays(section: TrainSection) -> bool:
    """Whether the data are arrays by the names of inputs, which nothing prepares."""
    return parse_spec(section.data.train)[0] == "npz"


def converter(student: PixelValues, teacher: PixelValues) -> Convert | None:
    """The student's images as the teacher wants them; None where they are the same.

    Raises:
        ConfigError: one of them takes gray images, or channels in another place, and the other
            does not.
    """
    if student == teacher or _close(student, teacher):
        return None
    kinds = [(len(v.mean), v.channels_last) for v in (student, teacher)]
    if kinds[0] != kinds[1]:
        text = f"its images are {teacher}, the student's {student}: neither is made of the other"
        raise ConfigError([Problem("teacher.program", text)], hint="take a teacher of such images")
    axis = 3 if student.channels_last else 1
    shape = [1, 1, 1, 1]
    shape[axis] = -1
    mean, std = (np.asarray(v) for v in (student.mean, student.std))
    turned = student.bgr != teacher.bgr
    if turned:
        mean, std = mean[::-1], std[::-1]
    factor = (std / np.asarray(teacher.std)).astype(np.float32).reshape(shape)
    shift = ((mean - teacher.mean) / np.asarray(teacher.std)).astype(np.float32).reshape(shape)

    def convert(images: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = (np.flip(images, axis) if turned else images) * factor + shift
        return found

    return convert


def _close(one: PixelValues, other: PixelValues) -> bool:
    """Whether they differ by the rounding of 1/255 in a file alone."""
    alike = (one.bgr, one.channels_last, len(one.mean)) == (
        other.bgr,
        other.channels_last,
        len(other.mean),
    )
    ours, theirs = ((*v.mean, *v.std) for v in (one, other))
    return alike and bool(np.allclose(ours, theirs, rtol=1e-4, atol=1e-6))
