"""What a drawing shows: prune decisions, and pairs found or read from configs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from graphprobe.api.decisions import prune_findings
from graphprobe.api.given_pairs import PairsLike, check_same, given_pairs
from graphprobe.drawing import Drawing, Focus, Marks, check_size, make_drawing
from graphprobe.drawing.figures import Figures, measure
from graphprobe.errors import (
    GraphprobeError,
    UsageError,
    place,
)
from graphprobe.ir import Pair, Program, PruneDecision
from graphprobe.ops.kinds import unknown_ops_warnings
from graphprobe.programs import LoadedProgram, ProgramLike, load
from graphprobe.pruning.plan import PrunePlan
from graphprobe.pruning.ratios import Limits, PruneChoice

if TYPE_CHECKING:
    from graphprobe.api.prune_selection import PruneSelection
    from graphprobe.config.prune import PruneConfig
    from graphprobe.drawing.drawing import AnyLevel
    from graphprobe.drawing.layout.layout_graph import Engine as LayoutEngine
    from graphprobe.drawing.overlay import ColourBy

T = TypeVar("T")
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
        figures: parameters and multiply-adds of the ops of each program.
        messages: what could not be found.
        plan: what a config prunes; without groups where none was given.
    """

    program: Program
    teacher: Program | None
    marks: Marks
    teacher_marks: Marks
    pairs: Sequence[Pair] = ()
    figures: Sequence[Figures] = ()
    messages: Sequence[str] = ()
    plan: PrunePlan = PrunePlan()

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
            figures=self.figures,
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
        UsageError: the programs are too large to be drawn.
    """
    plan = _plan(prune, program) if prune is not None else PrunePlan()
    given = None if pairs is None else given_pairs(pairs)
    if teacher is None and given is not None:
        teacher = given.teacher
    other = load(teacher) if teacher is not None else None
    check_size(program.program, *([other.program] if other is not None else []))
    parts = Parts()
    marks = parts.marks(program, plan)
    figures = [parts.figures(program, marks, plan)]
    if other is None:
        messages = (*unknown_operators(program), *parts.faults)
        return Findings(program.program, None, marks, Marks(), (), figures, messages, plan)
    if given is not None:
        found, messages = given.read(program, other), unknown_operators(program, other)
    else:
        from graphprobe.pairing.find import PairReport, find_pairs

        report = parts.get(
            "pairs", lambda: find_pairs(program.program, other.program), PairReport()
        )
        found, messages = report.pairs, report.warnings
    theirs = parts.marks(other, PrunePlan())
    figures.append(parts.figures(other, theirs, PrunePlan()))
    messages = (*messages, *parts.faults)
    return Findings(program.program, other.program, marks, theirs, found, figures, messages, plan)


@dataclass(frozen=True, slots=True)
class Parts:
    """What is found one by one, so that a fault in one of them costs no more than that one.

    Args:
        faults: what was left out, and why.
    """

    faults: list[str] = field(default_factory=list)

    def get(self, what: str, make: Callable[[], T], without: T) -> T:
        """What `make` finds, or `without` where it meets a fault of graphprobe."""
        try:
            return make()
        except (GraphprobeError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - reported to the user, who sees the rest
            reason = f"{type(error).__name__} at {place(error)}"
            self.faults.append(f"{what}: left out for a fault of graphprobe ({reason})")
            return without

    def marks(self, loaded: LoadedProgram, plan: PrunePlan) -> Marks:
        """The decisions under the plan's policy, what it prunes, and the shapes that it leaves."""
        what = f"{loaded.source}: prune decisions"
        none: dict[str, PruneDecision] = {}
        decisions = self.get(what, lambda: _decisions(loaded, plan.policy), none)
        shapes = {var.name: var.shape for var in loaded.program.parameters if var.shape is not None}
        targets = frozenset(p for group in plan.groups if group.ratio > 0 for p in group.layers)
        return Marks(decisions, targets, plan.shapes_after(shapes))

    def figures(self, loaded: LoadedProgram, marks: Marks, plan: PrunePlan) -> Figures:
        """Its numbers of parameters and multiply-adds, also after the plan."""
        what = f"{loaded.source}: parameters and multiply-adds"

        def make() -> Figures:
            pruned = choice_of(loaded, plan).after if plan.groups else None
            return measure(loaded.program, marks, pruned)

        return self.get(what, make, Figures())


def unknown_operators(*programs: LoadedProgram) -> tuple[str, ...]:
    """A warning for each program with operators that the table lacks: only their type is drawn."""
    return tuple(
        text for loaded in programs for text in unknown_ops_warnings(loaded.source, loaded.program)
    )


def choice_of(loaded: LoadedProgram, plan: PrunePlan) -> PruneChoice:
    """A plan for a program with what its policy found there; one object, which counts once."""
    limits = Limits(round_to=plan.round_to, min_channels=plan.min_channels)
    found = prune_findings(loaded, plan.policy)
    return loaded.once(("choice", plan), lambda: PruneChoice(found, plan, limits))


def _decisions(loaded: LoadedProgram, policy: str) -> dict[str, PruneDecision]:
    return {decision.param: decision for decision in prune_findings(loaded, policy).decisions}


def _plan(given: PruneLike, program: LoadedProgram) -> PrunePlan:
    """What a pruning config prunes; the config must be for `program`."""
    from graphprobe.api.prune_selection import PruneSelection

    if isinstance(given, PruneSelection):
        check_same(given.program, program, "prune")
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
