"""What a drawing shows: prune decisions, and pairs found or read from configs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from graphprobe.drawing import Drawing, Focus, Marks, make_drawing
from graphprobe.errors import ConfigError, Problem, UsageError, did_you_mean
from graphprobe.ir import Pair, Program, PruneDecision
from graphprobe.programs import load_program

if TYPE_CHECKING:
    from graphprobe.config.distill import DistillConfig, PairConfig
    from graphprobe.drawing.drawing import AnyLevel


@dataclass(frozen=True, slots=True)
class Findings:
    """One or two programs with what is known of them.

    Args:
        program: the only program, or the student.
        teacher: the other one.
        marks: findings in `program`.
        teacher_marks: findings in `teacher`.
        pairs: what the two share.
        messages: for the user: what a command could not find.
    """

    program: Program
    teacher: Program | None
    marks: Marks
    teacher_marks: Marks
    pairs: Sequence[Pair] = ()
    messages: list[str] = field(default_factory=list)

    def drawing(self, level: AnyLevel | None = None, focus: Focus | None = None) -> Drawing:
        """The findings as a drawing."""
        return make_drawing(
            self.program,
            self.teacher,
            marks=self.marks,
            teacher_marks=self.teacher_marks,
            pairs=self.pairs,
            level=level,
            focus=focus,
        )


def gather(
    program: Program, teacher: str | None, pairs: Path | None = None, prune: Path | None = None
) -> Findings:
    """Load the teacher, decide on every convolution, and find or read the pairs.

    Args:
        program: the only program, or the student.
        teacher: a PROGRAM argument; where only `pairs` is given, the config names it.
        pairs: a distillation config; without it the pairs are found.
        prune: a pruning config for `program`.

    Raises:
        GraphprobeError: a program or config cannot be read.
        ConfigError: a config is for another program, or names what is not there.
    """
    targets, policy = _targets(prune, program) if prune is not None else (frozenset[str](), "seeds")
    config = _distill_config(pairs) if pairs is not None else None
    if teacher is None and config is not None:
        teacher = config.teacher.program
    other = load_program(teacher) if teacher is not None else None
    marks = Marks(_decisions(program, policy), targets)
    if other is None:
        return Findings(program, None, marks, Marks())
    messages: list[str] = []
    if config is not None and pairs is not None:
        found = _read_pairs(config, program, other, str(pairs))
    else:
        found = _find_pairs(program, other, messages)
    return Findings(program, other, marks, Marks(_decisions(other)), found, messages)


def _decisions(program: Program, policy: str = "seeds") -> dict[str, PruneDecision]:
    from graphprobe.pruning.decisions import find_prunable

    return {decision.param: decision for decision in find_prunable(program, policy).decisions}


def _find_pairs(student: Program, teacher: Program, messages: list[str]) -> Sequence[Pair]:
    from graphprobe.pairing.find import find_pairs

    report = find_pairs(student, teacher)
    messages += report.warnings
    return report.pairs


def _distill_config(path: Path) -> DistillConfig:
    from graphprobe.config.distill import DistillConfig
    from graphprobe.config.load import load_config

    config = load_config(path)
    if not isinstance(config, DistillConfig):
        raise UsageError(
            f"is of kind {config.kind}", where=f"--pairs {path}", hint="give a kind: distill config"
        )
    return config


def _read_pairs(
    config: DistillConfig, student: Program, teacher: Program, where: str
) -> Sequence[Pair]:
    """The pairs of a config, after a check that it is for these programs."""
    from graphprobe.config.binding import check_fingerprint

    check_fingerprint(config.student, student, key="student", where=where)
    check_fingerprint(config.teacher, teacher, key="teacher", where=where)
    problems = [
        *_missing(config, "student", student, lambda pair: pair.student),
        *_missing(config, "teacher", teacher, lambda pair: pair.teacher),
    ]
    if problems:
        raise ConfigError(problems, where=where)
    return [_pair(pair, student, teacher) for pair in config.pairs]


def _missing(
    config: DistillConfig, side: str, program: Program, name_of: Callable[[PairConfig], str]
) -> list[Problem]:
    known = {name for block in program.blocks for name in block.vars}
    found = []
    for at, pair in enumerate(config.pairs):
        name = name_of(pair)
        if name not in known:
            hint = did_you_mean(name, sorted(known))
            message = f"no variable {name} in the {side}" + (f", {hint}" if hint else "")
            found.append(Problem(f"pairs[{at}].{side}", message))
    return found


def _pair(pair: PairConfig, student: Program, teacher: Program) -> Pair:
    return Pair(
        pair.student,
        pair.teacher,
        student.shape(pair.student) or (),
        teacher.shape(pair.teacher) or (),
        pair.role,
        pair.loss,
        pair.weight,
        1.0,
        "config",
        part=pair.part,
    )


def _targets(path: Path, program: Program) -> tuple[frozenset[str], str]:
    """The filters that a pruning config cuts and its policy; the config must be for `program`."""
    from graphprobe.config.binding import check_fingerprint
    from graphprobe.config.load import load_config
    from graphprobe.config.prune import PruneConfig

    config = load_config(path)
    if not isinstance(config, PruneConfig):
        raise UsageError(
            f"is of kind {config.kind}", where=f"--prune {path}", hint="give a kind: prune config"
        )
    check_fingerprint(config.student, program, key="student", where=str(path))
    cut = (group for group in config.prune.groups if group.ratio > 0)
    return frozenset(param for group in cut for param in group.convs), config.prune.policy
