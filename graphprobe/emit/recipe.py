"""The published settings of a task as a section ``train``, for a config made in one go."""

from __future__ import annotations

from graphprobe.config import AugmentSection, DataSection, LearningRateSection, TrainSection
from graphprobe.emit.image_size import train_section
from graphprobe.ir import Program


def recipe(task: str, data: DataSection, *programs: Program) -> TrainSection:
    """Schedule and augmentation as published for a task, for any batch size.

    Detection: PaddleDetection 0.x, yolov3_mobilenet_v1_voc.yml (8 devices with 8 samples each).
    Segmentation: PaddleSeg 0.4, slim/distillation/cityscape.yaml (16 samples in all).

    Args:
        task: ``detection`` or ``segmentation``.
        data: where the samples come from.
        programs: the student, then the teacher where there is one; what they fix is taken over.
    """
    usual = train_section(*programs)
    if task != "segmentation":
        return usual.model_copy(update={"data": data, "reference_batch": 64, "eval_iter": 2000})
    rate = LearningRateSection(warmup_steps=0, milestones=(), poly_power=0.9)
    return usual.model_copy(
        update={
            "data": data,
            "augment": AugmentSection(distort=False),
            "reference_batch": 16,
            "max_iters": 18600,
            "learning_rate": rate,
            "weight_decay": 0.00004,
            "snapshot_iter": 930,
            "eval_iter": 930,
        }
    )
