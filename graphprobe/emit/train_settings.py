"""The section ``train`` of a new config: the published settings of a task, or the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphprobe.config import (
    AugmentSection,
    DataSection,
    LearningRateSection,
    PreparationSection,
    TrainSection,
)
from graphprobe.ir import Program
from graphprobe.ops.kinds import computed_by, kind_of
from graphprobe.ops.spatial.image_input import fixed_image_size, image_input
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.rules import segmentation
from graphprobe.user_code import is_file

# What the config of an exported program names where no data were.
PHOTOS = "images:PHOTOS"
# Inputs that only detectors have which predict at every cell of a pyramid.
_DENSE = frozenset({"anchor_class", "point_class"})


def published_schedule(task: str, data: DataSection, *programs: Program) -> TrainSection:
    """Schedule and augmentation as published for a task, for any batch size.

    Segmentation: PaddleSeg 0.4, slim/distillation/cityscape.yaml (16 samples in all).
    RetinaNet and GFL: PaddleDetection 2.6, optimizer_1x.yml (8 devices with 2 samples each).
    Other detectors: PaddleDetection 0.x, yolov3_mobilenet_v1_voc.yml (8 devices with 8 each).

    Args:
        task: ``detection`` or ``segmentation``.
        data: where the samples come from.
        programs: the student, then the teacher if there is one; their fixed image size is used.
    """
    if task == "segmentation":
        update = _segmentation()
    elif is_dense(programs[0]):
        update = _dense()
    else:
        update = {"reference_batch": 64, "eval_iter": 2000}
    return train_section(*programs).model_copy(update={"data": data, **update})


def exported_schedule(data: DataSection, *programs: Program) -> TrainSection:
    """Settings for an exported program that learns from a teacher; no paper has published any.

    Adam, whose steps do not depend on the size of a loss, with gradients clipped to norm 1; images
    as they are, so that what the teacher makes of them is computed once.

    Args:
        data: where the images come from.
        programs: the student, then the teacher; their fixed image size is used.
    """
    update = {
        "data": data,
        "augment": AugmentSection(distort=False, expand=False, crop=False, flip=False),
        "optimizer": "adam",
        "max_iters": 1000,
        "learning_rate": LearningRateSection(
            base=0.0005, warmup_steps=50, milestones=(), poly_power=1.0
        ),
        "weight_decay": 0.0,
        "clip_norm": 1.0,
        "snapshot_iter": 200,
        "eval_iter": 200,
    }
    return train_section(*programs).model_copy(update={**_size_beside(programs[0]), **update})


def _size_beside(student: Program) -> dict[str, Any]:
    """The size of images that the file beside a program states; empty where none does."""
    file = Path(student.origin.source)
    if fixed_image_size(student) is not None or not student.origin.source or not file.exists():
        return {}
    from graphprobe.data.preparation import fixed_size, preparation_beside

    found = preparation_beside(file)
    size = None if found is None else fixed_size(found.steps)
    if size is None:
        return {}
    square = size[0] == size[1]
    wide = PreparationSection(size=size)
    return {"image_size": size[0]} if square else {"preparation": wide}


def default_train_section(*programs: Program) -> TrainSection:
    """The published settings where the program is a known task in train mode, else the defaults.

    Those of an exported program name images that are not there: the user's own, with --data.

    Args:
        programs: the student, whose task decides, then the teacher if there is one.
    """
    student = programs[0]
    if is_dense(student) or _is_yolo(student):
        return published_schedule("detection", DataSection(), *programs)
    if _is_segmentation(student):
        data = DataSection(train="digits_seg", val="digits_seg?split=val")
        return published_schedule("segmentation", data, *programs)
    if is_file(student.origin.source) and Path(student.origin.source).exists():
        return exported_schedule(DataSection(train=PHOTOS, val=None), *programs)
    return train_section(*programs)


def is_dense(program: Program) -> bool:
    """Whether a train program is a detector that predicts at every cell of a feature pyramid."""
    return not _DENSE.isdisjoint(program.feeds)


def _is_yolo(program: Program) -> bool:
    return any(computed_by(op.type) == "yolo" and kind_of(op.type) == "loss" for op in program.ops)


def _is_segmentation(program: Program) -> bool:
    """Whether it upsamples logits to a loss or an arg_max, by the pair rule ``segmentation``."""
    view = ProgramAnalysis(program)
    return bool(segmentation.RULE.find(view, view))


def _segmentation() -> dict[str, Any]:
    return {
        "augment": AugmentSection(distort=False),
        "reference_batch": 16,
        "max_iters": 18600,
        "learning_rate": LearningRateSection(warmup_steps=0, milestones=(), poly_power=0.9),
        "weight_decay": 0.00004,
        "snapshot_iter": 930,
        "eval_iter": 930,
    }


def _dense() -> dict[str, Any]:
    """12 epochs of COCO, 7329 iterations each."""
    return {
        "augment": AugmentSection(distort=False, expand=False, crop=False),
        "reference_batch": 16,
        "max_iters": 87948,
        "learning_rate": LearningRateSection(
            base=0.01, warmup_steps=500, warmup_factor=0.001, milestones=(58632, 80619)
        ),
        "weight_decay": 0.0001,
        "snapshot_iter": 7329,
        "eval_iter": 7329,
    }


def train_section(*programs: Program) -> TrainSection:
    """The default section ``train``, with the size of images that the first program fixes.

    Args:
        programs: the student, then the teacher where there is one.
    """
    sizes = (fixed_image_size(program) for program in programs)
    size = next((size for size in sizes if size is not None), None)
    wide = next((sides for program in programs if (sides := _fixed_sides(program))), None)
    if size is None and wide is not None:
        return TrainSection(preparation=PreparationSection(size=wide))
    return TrainSection() if size is None else TrainSection(image_size=size)


def _fixed_sides(program: Program) -> tuple[int, int] | None:
    """H and W in pixels of the images that a program takes; None where it leaves one open."""
    image = image_input(program)
    if image is None or min(image.height, image.width) < 1:
        return None
    return image.height, image.width
