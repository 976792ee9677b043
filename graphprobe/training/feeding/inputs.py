"""What an exported program is fed of images: by the file beside it and the config of a run."""

from __future__ import annotations

from dataclasses import replace

from graphprobe.config import TrainSection
from graphprobe.data.preparation import (
    InputPlan,
    PreparationOptions,
    Size,
    fixed_size,
    plan_inputs,
)
from graphprobe.ops.spatial.image_input import image_input
from graphprobe.training.networks.trainable import IMAGE
from graphprobe.zoo import EXPORTED, Built

_HINT = "name mean and std: train.preparation.mean=[0.485, 0.456, 0.406] and std=[0.229, ...]"


def input_plan(section: TrainSection, built: Built) -> InputPlan | None:
    """What each input of an exported program is fed of an image; None of any other network.

    Raises:
        DataError: nothing states how images are prepared, or what does contradicts the program.
    """
    if built.task != EXPORTED:
        return None
    program = built.meta["program"]
    given = PreparationOptions(**section.preparation.model_dump())
    plan = plan_inputs(program, built.meta["beside"], given, size=section.input_size)
    found = image_input(program)
    is_image = found is not None and found.name == plan.image
    return replace(plan, image=IMAGE if is_image else plan.image)


def train_plan(section: TrainSection, built: Built) -> InputPlan | None:
    """The same for training, with all images in one size.

    Raises:
        DataError: as `input_plan`.
    """
    plan = input_plan(section, built)
    if plan is None or _size(plan) == section.input_size:
        return plan
    return plan.at(section.input_size)


def eval_plan(section: TrainSection, built: Built) -> InputPlan | None:
    """The same for evaluation: as the file states, unless the run has another size than it.

    Images whose size it lets depend on the original come in many sizes, one to a batch.

    Raises:
        DataError: as `input_plan`.
    """
    plan = input_plan(section, built)
    size = None if plan is None else _size(plan)
    if plan is None or size is None or size == section.input_size:
        return plan
    return plan.at(section.input_size)


def cuts_images(section: TrainSection, built: Built) -> bool:
    """Whether parts of images are cut away, so that labels of places have none.

    Raises:
        DataError: as `input_plan`.
    """
    plan = eval_plan(section, built)
    return plan is not None and plan.cuts


def has_one_size(plan: InputPlan) -> bool:
    """Whether all images come out in one size."""
    return _size(plan) is not None


def images_text(section: TrainSection, built: Built) -> str:
    """How the images of an exported program are prepared, for people.

    Raises:
        DataError: as `input_plan`.
    """
    plan = train_plan(section, built)
    assert plan is not None  # noqa: S101 - callers have an exported program
    others = "".join(f"; {name}: {kind}" for name, kind in plan.others.items())
    return f"{plan.preparation}{others}"


def _size(plan: InputPlan) -> Size | None:
    return fixed_size(plan.preparation.steps)
