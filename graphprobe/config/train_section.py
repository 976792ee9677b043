"""The section `train`: data, schedule, optimizer, and what is written when."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from graphprobe.config._base import Count, Name, Positive, Section

Fraction = Annotated[float, Field(ge=0, le=1)]


class DataSection(Section):
    """Where the samples come from: a line for training and one for validation."""

    train: Name = Field(
        default="digits",
        description="digits?count=200&classes=3: scenes made on the fly; voc:PATH?split=train: "
        "a VOC folder; see docs/data.md",
    )
    val: Name | None = Field(
        default="digits?split=val", description="what evaluation measures on; null: no evaluation"
    )
    cache_mb: Count = Field(
        default=0, description="memory for samples that were read, of all workers, 10^6 bytes"
    )


class AugmentSection(Section):
    """Random changes to an image before it is trained on."""

    sizes: tuple[Positive, ...] = Field(
        default=(), strict=False, description="each batch draws its size here; []: image_size"
    )
    distort: bool = True
    expand: bool = True
    crop: bool = True
    flip: bool = True
    mixup: bool = False
    mixup_until: Count = Field(
        default=0, description="iteration from which nothing is blended; 0: never ends"
    )


class LearningRateSection(Section):
    """Linear warm-up, then piecewise decay."""

    base: Annotated[float, Field(gt=0)] = 0.001
    warmup_steps: Count = Field(default=1000, description="iterations of linear warm-up")
    warmup_factor: Fraction = Field(default=0.0, description="factor of base at iteration 0")
    milestones: tuple[Positive, ...] = Field(
        default=(55000, 62000), strict=False, description="iterations at which the rate is decayed"
    )
    gamma: Fraction = Field(default=0.1, description="factor of each decay")
    poly_power: Annotated[float, Field(ge=0)] = Field(
        default=0.0,
        description="above 0: no milestones, but base * (1 - iteration / max_iters) ** poly_power",
    )


class PreparationSection(Section):
    """What an exported program is fed of an image, in place of what the file beside it states."""

    mean: tuple[float, ...] | None = Field(
        default=None, strict=False, description="of each channel, after the scale; null: the file's"
    )
    std: tuple[float, ...] | None = Field(default=None, strict=False)
    scale: float | None = Field(
        default=None, description="what levels of 0 to 255 are multiplied with, as 0.00392157"
    )
    channels: Literal["rgb", "bgr", "gray"] | None = None
    size: tuple[Positive, Positive] | None = Field(
        default=None,
        strict=False,
        description="H and W; null: the file's, else image_size twice",
    )


class TrainSection(Section):
    """How a run trains, evaluates and saves."""

    data: DataSection = DataSection()
    augment: AugmentSection = AugmentSection()
    batch_size: Positive = Field(default=8, description="samples a step and device")
    image_size: Positive = Field(default=608, description="H and W of the network's input, pixels")
    preparation: PreparationSection = Field(
        default=PreparationSection(),
        description="of images for exported programs; null: as infer_cfg.yml, inference.yml or "
        "deploy.yaml beside the program states",
    )
    reference_batch: Count = Field(
        default=0,
        description="samples a step, of all devices, that the schedule below is made for: where "
        "batch_size x devices is another number, the rate and all iterations are scaled; 0: never",
    )
    max_iters: Positive = Field(default=70000, description="iterations in all")
    learning_rate: LearningRateSection = LearningRateSection()
    optimizer: Literal["momentum", "adam"] = Field(
        default="momentum",
        description="momentum, or adam for exported programs, whose gradients "
        "differ by orders of magnitude",
    )
    momentum: Fraction = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0.0005
    clip_norm: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="largest norm of all gradients together; 0: not limited"
    )
    workers: Count = Field(default=2, description="processes that load data; 0: none")
    seed: Count = 0
    snapshot_iter: Positive = Field(default=2000, description="iterations between checkpoints")
    eval_iter: Count = Field(
        default=0, description="iterations between evaluations; 0: at the end only"
    )
    keep_last: Positive = Field(default=3, description="checkpoints that are kept")
    log_iter: Positive = Field(default=20, description="iterations between lines of the log")
    output: Name = Field(
        default="runs/train", description="folder of checkpoints, logs and results"
    )
    metric: Literal["auto", "11point", "integral", "coco", "miou", "top1", "agreement"] = Field(
        default="auto",
        description="11point or integral: VOC mAP of 2007 or 2010; coco: AP at IoU 0.5 to 0.95; "
        "top1: of classes; agreement: of an exported program with its teacher; auto: what the "
        "labels allow: miou for segmentation, top1 for classes, coco for coco: data, else 11point",
    )
    teacher_engine: Literal["inference", "own", "merge"] = Field(
        default="inference",
        description="inference: the teacher runs folded and fused in Paddle's inference engine, "
        "beside the student; own: its plain ops in the student's program, slower; merge: the same "
        "by PaddleSlim, the reference",
    )
    teacher_cache_mb: Count = Field(
        default=512,
        description="memory of each process for what the teacher made of samples whose images "
        "are the same each time (no augmentation), 10^6 bytes; 0: nothing is kept",
    )
    sync_bn: bool = Field(
        default=False,
        description="of several GPUs: batch norms take their statistics over the batch of all",
    )
    onednn: bool = Field(
        default=True,
        description="on a CPU, run in oneDNN the convolutions that it speeds up most for the "
        "memory of its copies; values differ from the plain kernels by rounding",
    )

    @property
    def input_size(self) -> tuple[int, int]:
        """H and W of the network's input, in pixels."""
        return self.preparation.size or (self.image_size, self.image_size)
