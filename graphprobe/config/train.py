"""The schema of ``kind: train``."""

from __future__ import annotations

from typing import Literal

from graphprobe.config._base import ProgramRef, Section
from graphprobe.config.train_section import TrainSection


class TrainConfig(Section):
    """Train one program by itself: a baseline, or a teacher."""

    version: Literal[1]
    kind: Literal["train"]
    student: ProgramRef
    train: TrainSection = TrainSection()
