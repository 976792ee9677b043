"""The schema of ``kind: distill``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Self

from graphprobe.config._base import Name, Positive, ProgramRef, Section, TaskSection
from graphprobe.config.train_section import TrainSection


class AdapterConfig(Section):
    """What a student feature passes through where its shape is not the teacher's."""

    in_channels: Positive
    out_channels: Positive
    resize: bool = False


# A weight that is measured, and followed through the run.
AUTO: Literal["auto"] = "auto"


class PairConfig(Section):
    """One student variable, one teacher variable, and the loss between them."""

    student: Name
    teacher: Name
    loss: Name
    weight: Annotated[float, Field(ge=0)] | Literal["auto"] = 1.0
    role: str = ""
    part: str = ""
    adapter: AdapterConfig | None = None
    options: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    code: Name | None = None


class DistillConfig(Section):
    """Train a student so that it also comes to resemble a teacher."""

    version: Literal[1]
    kind: Literal["distill"]
    student: ProgramRef
    teacher: ProgramRef
    pairs: tuple[PairConfig, ...] = Field(
        strict=False,
        min_length=1,
        description="student and teacher names are each program's own, without a merge prefix",
    )
    task: TaskSection | None = Field(
        default=None,
        description="what an exported student learns from labels; null: nothing, or its own loss",
    )
    prune: str | None = Field(default=None, description="a prune.yaml: prune the student first")
    train: TrainSection = TrainSection()

    @model_validator(mode="after")
    def _no_pair_twice(self) -> Self:
        seen: set[tuple[str, str, str, str]] = set()
        for pair in self.pairs:
            key = (pair.student, pair.teacher, pair.loss, pair.part)
            if key in seen:
                raise PydanticCustomError(
                    "pair_twice",
                    "pairs: {student} and {teacher} stand there twice with loss {loss}",
                    {"student": pair.student, "teacher": pair.teacher, "loss": pair.loss},
                )
            seen.add(key)
        return self
