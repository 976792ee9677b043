"""The section `train`: data, schedule, optimizer, and what is written when."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from graphprobe.config._base import Count, Name, Positive, Section

Fraction = Annotated[float, Field(ge=0, le=1)]


class DataSection(Section):
    """Where the samples come from."""

    format: Literal["digits", "voc"] = Field(
        default="digits",
        description="digits: scenes made on the fly, nothing to fetch; voc: a VOC folder",
    )
    path: str | None = Field(default=None, description="folder of the data set")
    train_list: str | None = Field(default=None, description="file that lists the training samples")
    val_list: str | None = Field(default=None, description="file that lists the validation samples")
    options: dict[str, str | int | float | bool | None] = Field(
        default_factory=dict, description="options of the format"
    )


class LearningRateSection(Section):
    """Linear warm-up, then piecewise decay."""

    base: Annotated[float, Field(gt=0)] = 0.001
    warmup_steps: Count = Field(default=1000, description="iterations of linear warm-up")
    warmup_factor: Fraction = Field(default=0.0, description="factor of base at iteration 0")
    milestones: tuple[int, ...] = Field(
        default=(55000, 62000), strict=False, description="iterations at which the rate is decayed"
    )
    gamma: Fraction = Field(default=0.1, description="factor of each decay")


class TrainSection(Section):
    """How a run trains, evaluates and saves."""

    data: DataSection = DataSection()
    batch_size: Positive = Field(default=8, description="samples a step and device")
    image_size: Positive = Field(default=608, description="H and W of the network's input, pixels")
    max_iters: Positive = Field(default=70000, description="iterations in all")
    learning_rate: LearningRateSection = LearningRateSection()
    momentum: Fraction = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0.0005
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
    metric: Name = Field(default="auto", description="what evaluation measures; auto: by the task")
