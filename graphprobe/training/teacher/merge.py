"""Put the part of a teacher that the pairs need into the student's program, by PaddleSlim."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphprobe.errors import ConfigError, Problem, TrainError, did_you_mean

PREFIX = "teacher_"


def teacher_part(teacher: Any, wanted: Iterable[str], feeds: Iterable[str]) -> Any:
    """The teacher's forward ops that the wanted variables depend on, in test mode.

    Args:
        teacher: a paddle program; left as it is.
        wanted: the teacher's own variable names.
        feeds: names of its inputs.

    Returns:
        a paddle program without losses, gradients and statistics that move.
    """
    test = teacher.clone(for_test=True)
    part = test._prune_with_input(list(feeds), list(dict.fromkeys(wanted)))
    return part.clone(for_test=True)


def inputs_of(part: Any, feeds: Iterable[str]) -> list[str]:
    """Those of the feeds that a program reads."""
    read = {name for op in part.global_block().ops for name in op.input_arg_names}
    return [name for name in feeds if name in read]


def merge_teacher(
    part: Any,
    student: Any,
    feeds: Iterable[str],
    *,
    scope: Any,
    teacher_scope: Any,
    place: Any,
) -> None:
    """Merge in place with PaddleSlim; the teacher's variables get the prefix ``teacher_``.

    PaddleSlim does not look at the names of the inputs, so that is done here first.

    Args:
        part: what `teacher_part` gave.
        student: the paddle program that takes it in.
        feeds: the teacher's inputs; the student must have the same.
        scope: the student's values; takes the teacher's in.
        teacher_scope: the teacher's values.
        place: where the student runs.

    Raises:
        ConfigError: an input of the teacher is not one of the student's.
        TrainError: a program has control flow, which a merge cannot take.
    """
    for name, program in (("student", student), ("teacher", part)):
        if program.num_blocks > 1:
            raise TrainError(
                f"the {name} has {program.num_blocks} blocks (control flow); a merge takes one",
                hint="take it without its while and conditional ops",
            )
    used = inputs_of(part, feeds)
    _check_inputs(part, student, used)
    from paddleslim.dist import merge

    merge(
        part,
        student,
        {name: name for name in used},
        place,
        scope=scope,
        teacher_scope=teacher_scope,
        name_prefix=PREFIX,
    )


def _check_inputs(part: Any, student: Any, used: list[str]) -> None:
    known = student.global_block().vars
    problems = []
    for name in used:
        if name not in known:
            hint = did_you_mean(name, known) or "the student has no such input"
            problems.append(Problem("teacher.program", f"its input {name} meets none, {hint}"))
            continue
        mine, theirs = known[name], part.global_block().var(name)
        if not _fit(mine.shape, theirs.shape) or mine.dtype != theirs.dtype:
            text = f"its input {name} is {tuple(theirs.shape)}, the student's {tuple(mine.shape)}"
            problems.append(Problem("teacher.program", text))
    if problems:
        raise ConfigError(problems)


def _fit(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    same = (a == b or -1 in (a, b) for a, b in zip(one, other, strict=False))
    return len(one) == len(other) and all(same)
