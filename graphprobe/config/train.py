"""The schema of ``kind: train``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from graphprobe.config._base import ProgramRef, Section, TaskSection
from graphprobe.config.train_section import TrainSection


class TrainConfig(Section):
    """Train one program by itself: a baseline, or a teacher."""

    version: Literal[1]
    kind: Literal["train"]
    student: ProgramRef
    task: TaskSection | None = Field(
        default=None,
        description="what an exported student learns from labels; null: nothing, or its own loss",
    )
    train: TrainSection = TrainSection()
