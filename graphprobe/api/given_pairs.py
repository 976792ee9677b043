"""Pairs that the caller has already: as they were found, or in a config."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from graphprobe.errors import ConfigError, Problem, UsageError, did_you_mean
from graphprobe.ir import Pair, Program
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.programs import LoadedProgram, ProgramLike

if TYPE_CHECKING:
    from graphprobe.api.pairs import PairFindings
    from graphprobe.config.distill import DistillConfig, PairConfig

# Pairs as they were found, or a distillation config or its file.
PairsLike: TypeAlias = "str | os.PathLike[str] | PairFindings | DistillConfig"


@dataclass(frozen=True, slots=True)
class GivenPairs:
    """Pairs that the caller has already."""

    teacher: ProgramLike
    read: Callable[[LoadedProgram, LoadedProgram], Sequence[Pair]]


def given_pairs(pairs: PairsLike) -> GivenPairs:
    """The teacher of pairs, and how they are read for two programs."""
    from graphprobe.api.pairs import PairFindings

    if isinstance(pairs, PairFindings):
        return GivenPairs(
            pairs.teacher, lambda student, teacher: _found_pairs(pairs, student, teacher)
        )
    config, where = _distill_config(pairs)
    return GivenPairs(
        config.teacher.program,
        lambda student, teacher: _read_pairs(config, student.program, teacher.program, where),
    )


def _found_pairs(
    found: PairFindings, student: LoadedProgram, teacher: LoadedProgram
) -> Sequence[Pair]:
    """The pairs of findings, after a check that they are of these programs."""
    check_same(found.student, student, "pairs")
    check_same(found.teacher, teacher, "pairs")
    return found.pairs


def check_same(of: LoadedProgram, program: LoadedProgram, where: str) -> None:
    """Refuse findings on a program other than their own with a UsageError."""
    if of is program or fingerprint(of.program) == fingerprint(program.program):
        return
    raise UsageError(
        f"was found for {of.source}, not for {program.source}",
        where=where,
        hint="find it again for this program, or name the program that it was found for",
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
