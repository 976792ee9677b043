"""What a drawing shows: prune decisions, and pairs found or read from configs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from graphprobe.api.pairs import PairFindings
from graphprobe.api.prunable import prune_findings
from graphprobe.api.prune_selection import PruneSelection
from graphprobe.drawing import Drawing, Focus, Marks, make_drawing
from graphprobe.errors import ConfigError, Problem, UsageError, did_you_mean
from graphprobe.ir import Pair, Program, PruneDecision
from graphprobe.ops.kinds import unknown_ops_text
from graphprobe.pairing.find import find_pairs
from graphprobe.programs import LoadedProgram, ProgramLike, load
from graphprobe.pruning.plan import PrunePlan

if TYPE_CHECKING:
    from graphprobe.config.distill import DistillConfig, PairConfig
    from graphprobe.config.prune import PruneConfig
    from graphprobe.drawing.drawing import AnyLevel
    from graphprobe.drawing.layout.layout_graph import Engine as LayoutEngine
    from graphprobe.drawing.overlay import ColourBy

# Pairs as they were found, or a distillation config or its file.
PairsLike: TypeAlias = "str | os.PathLike[str] | PairFindings | DistillConfig"
# A selection as it was made, or a pruning config or its file.
PruneLike: TypeAlias = "str | os.PathLike[str] | PruneSelection | PruneConfig"


@dataclass(frozen=True, slots=True)
class Findings:
    """One or two programs with what is known of them.

    Args:
        program: the only program, or the student.
        teacher: the other one.
        marks: findings in `program`.
        teacher_marks: findings in `teacher`.
        pairs: what the two share.
        messages: what could not be found.
    """

    program: Program
    teacher: Program | None
    marks: Marks
    teacher_marks: Marks
    pairs: Sequence[Pair] = ()
    messages: Sequence[str] = ()

    def drawing(
        self,
        level: AnyLevel | None = None,
        focus: Focus | None = None,
        engine: LayoutEngine = "layered",
        colour_by: ColourBy = "status",
    ) -> Drawing:
        """The findings as a drawing."""
        return make_drawing(
            self.program,
            self.teacher,
            marks=self.marks,
            teacher_marks=self.teacher_marks,
            pairs=self.pairs,
            level=level,
            focus=focus,
            engine=engine,
            colour_by=colour_by,
        )


def gather(
    program: LoadedProgram,
    teacher: ProgramLike | None,
    pairs: PairsLike | None = None,
    prune: PruneLike | None = None,
) -> Findings:
    """Load the teacher, decide on every convolution, and find or read the pairs.

    Args:
        program: the only program, or the student.
        teacher: where only `pairs` is given, the config names it.
        pairs: a distillation config; without it the pairs are found.
        prune: a pruning config for `program`.

    Raises:
        GraphprobeError: a program or config cannot be read.
        ConfigError: a config is for another program, or names what is not there.
    """
    plan = _plan(prune, program) if prune is not None else PrunePlan()
    given = None if pairs is None else _given_pairs(pairs)
    if teacher is None and given is not None:
        teacher = given.teacher
    other = load(teacher) if teacher is not None else None
    marks = _marks(program, plan)
    if other is None:
        return Findings(program.program, None, marks, Marks(), messages=_unknown(program))
    messages: Sequence[str] = (*_unknown(program), *_unknown(other))
    if given is not None:
        found = given.read(program, other)
    else:
        report = find_pairs(program.program, other.program)
        found, messages = report.pairs, report.warnings
    teacher_marks = Marks(_decisions(other, "seeds"))
    return Findings(program.program, other.program, marks, teacher_marks, found, messages)


def _unknown(loaded: LoadedProgram) -> Sequence[str]:
    """Counts the operators that are drawn by their type alone."""
    unknown = unknown_ops_text(loaded.program)
    return [f"{loaded.source}: operators that are not known: {unknown}"] if unknown else []


def _marks(loaded: LoadedProgram, plan: PrunePlan) -> Marks:
    """The decisions under the plan's policy, what it prunes, and the shapes that it leaves."""
    shapes = {var.name: var.shape for var in loaded.program.parameters if var.shape is not None}
    targets = frozenset(p for group in plan.groups if group.ratio > 0 for p in group.layers)
    return Marks(_decisions(loaded, plan.policy), targets, plan.shapes_after(shapes))


def _decisions(loaded: LoadedProgram, policy: str) -> dict[str, PruneDecision]:
    return {decision.param: decision for decision in prune_findings(loaded, policy).decisions}


@dataclass(frozen=True, slots=True)
class _GivenPairs:
    """Pairs that the caller has already."""

    teacher: ProgramLike
    read: Callable[[LoadedProgram, LoadedProgram], Sequence[Pair]]


def _given_pairs(pairs: PairsLike) -> _GivenPairs:
    if isinstance(pairs, PairFindings):
        return _GivenPairs(pairs.teacher, lambda *_: pairs.pairs)
    config, where = _distill_config(pairs)
    return _GivenPairs(
        config.teacher.program,
        lambda student, teacher: _read_pairs(config, student.program, teacher.program, where),
    )


def _distill_config(given: str | os.PathLike[str] | DistillConfig) -> tuple[DistillConfig, str]:
    from graphprobe.config.distill import DistillConfig
    from graphprobe.config.load import load_config

    if isinstance(given, DistillConfig):
        return given, "the config"
    path = Path(given)
    config = load_config(path)
    if not isinstance(config, DistillConfig):
        where, hint = f"pairs={str(path)!r}", "give a kind: distill config"
        raise UsageError(f"is of kind {config.kind}", where=where, hint=hint)
    return config, str(path)


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


def _plan(given: PruneLike, program: LoadedProgram) -> PrunePlan:
    """What a pruning config prunes; the config must be for `program`."""
    if isinstance(given, PruneSelection):
        return given.choice.plan
    from graphprobe.config.binding import check_fingerprint
    from graphprobe.config.load import load_config
    from graphprobe.config.prune import PruneConfig

    config = given if isinstance(given, PruneConfig) else load_config(Path(given))
    where = "the config" if isinstance(given, PruneConfig) else str(given)
    if not isinstance(config, PruneConfig):
        hint = "give a kind: prune config"
        raise UsageError(f"is of kind {config.kind}", where=f"prune={where!r}", hint=hint)
    check_fingerprint(config.student, program.program, key="student", where=where)
    return config.prune.plan()
