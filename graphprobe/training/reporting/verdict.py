"""What a check of a config found, for people and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from graphprobe.errors import Problem
from graphprobe.training.reporting.result import DataOfRun


@dataclass(frozen=True)
class GradientStats:
    """A scalar on one batch: its value and the gradient that it sends to the student.

    Args:
        value: of the scalar.
        gradient: the L2 norm over all the student's parameters.
        reached: parameters whose gradient is not all zero.
        teacher: the teacher's parameters that it sends a gradient to; must be empty.
        at: the L2 norm of its gradient at variables of the student, by name.
    """

    value: float
    gradient: float
    reached: int
    teacher: tuple[str, ...] = ()
    at: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TermRow:
    """What the check finds of one term.

    Args:
        term: as logs call it.
        loss: its name.
        pairs: (student, teacher) names.
        weight: of the config; where that is ``auto``, as measured on this batch.
        auto: whether it is measured, and followed through the run.
        value: unweighted; share: weighted, over the task's loss.
        gradient_share: of the weighted term's gradient norm, over the task's.
        suggested: the weight at which all terms together send a gradient of the task's norm.
        reached: parameters of the student that its gradient reaches.
        idle: whether no box of the batch gives the term anything to compare.
        problems: why it fails; empty where it passes.
    """

    term: str
    loss: str
    pairs: tuple[tuple[str, str], ...]
    weight: float
    auto: bool = False
    value: float | None = None
    share: float | None = None
    gradient_share: float | None = None
    suggested: float | None = None
    reached: int | None = None
    idle: bool = False
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check.

    Args:
        task: the task's own loss; None where no pair can be built.
        rows: one a term.
        problems: of the whole config.
        warnings: what is worth a look.
        parameters: of the student.
        teacher_engine: where the teacher ran, as in training: ``inference``, ``own`` or ``merge``;
            None where it did not run.
        data: what would be trained and measured on.
    """

    task: GradientStats | None
    rows: tuple[TermRow, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    parameters: int
    teacher_engine: str | None = None
    data: DataOfRun | None = None

    @property
    def passed(self) -> bool:
        """Whether the config can be trained with."""
        return not self.problems and not any(row.problems for row in self.rows)


def describe_teacher(verdict: Verdict) -> str:
    """One line: where the teacher ran, in the check as in training; empty without a teacher."""
    where = {
        "inference": "in Paddle's inference engine",
        "own": "as ops of the student's program",
        "merge": "as ops of the student's program, merged by PaddleSlim",
    }
    return "" if verdict.teacher_engine is None else f"teacher: {where[verdict.teacher_engine]}"


def as_document(verdict: Verdict) -> Mapping[str, Any]:
    """Plain data for json."""
    task = verdict.task
    return {
        "passed": verdict.passed,
        "task": None if task is None else {"loss": task.value, "gradient": task.gradient},
        "terms": [
            {
                "term": row.term,
                "loss": row.loss,
                "pairs": [{"student": s, "teacher": t} for s, t in row.pairs],
                "weight": row.weight,
                "auto": row.auto,
                "value": row.value,
                "loss_over_task": row.share,
                "gradient_over_task": row.gradient_share,
                "suggested_weight": row.suggested,
                "parameters_reached": row.reached,
                "idle": row.idle,
                "problems": [str(problem) for problem in row.problems],
            }
            for row in verdict.rows
        ],
        "data": None if verdict.data is None else asdict(verdict.data),
        "teacher_engine": verdict.teacher_engine,
        "problems": [str(problem) for problem in verdict.problems],
        "warnings": list(verdict.warnings),
    }
