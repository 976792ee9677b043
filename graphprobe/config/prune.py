"""The schema of ``kind: prune``."""

from __future__ import annotations

from typing import Literal

from graphprobe.config._base import ProgramRef, Section
from graphprobe.config.train_section import TrainSection


class PruneSection(Section):
    """What is cut."""


class PruneConfig(Section):
    """Cut channels of one program, then train it."""

    version: Literal[1]
    kind: Literal["prune"]
    student: ProgramRef
    prune: PruneSection = PruneSection()
    train: TrainSection = TrainSection()
