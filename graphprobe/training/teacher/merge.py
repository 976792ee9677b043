"""Put the part of a teacher that the pairs need into the student's program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import paddle

from graphprobe.errors import ConfigError, Problem, TrainError, did_you_mean
from graphprobe.ops.kinds import kind_of
from graphprobe.training.runtime.dependencies import require_paddleslim

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
    """Copy a teacher's ops, variables and weights behind those of the student, in place.

    Its variables get the prefix ``teacher_`` and stop gradients; its inputs become the student's
    inputs of the same names. This gives the ops of ``paddleslim.dist.merge``, in their order.

    Args:
        part: what `teacher_part` gave.
        student: the paddle program that takes it in.
        feeds: the teacher's inputs; the student must have the same.
        scope: the student's values; takes the teacher's weights in.
        teacher_scope: the teacher's values.
        place: where the student runs.

    Raises:
        ConfigError: an input of the teacher is not one of the student's.
        TrainError: a program has control flow, which a merge cannot take, or the student has
            variables with the prefix already.
    """
    used = check_merge(part, student, feeds)
    source, target = part.global_block(), student.global_block()
    shared = {*used, "feed", "fetch"}
    names = {name: name if name in shared else PREFIX + name for name in source.vars}
    taken = sorted(new for name, new in names.items() if name not in shared and new in target.vars)
    if taken:
        raise TrainError(
            f"the student has a variable {taken[0]} already, the name of a teacher's variable",
            where="teacher",
            hint="rename it in the student",
        )
    for name, new in names.items():
        if name not in shared:
            _copy_variable(source.var(name), new, target)
    for op in source.ops:
        if kind_of(op.type) not in ("input", "output"):
            _copy_op(op, names, target)
    student._sync_with_cpp()
    for name, new in names.items():
        if name not in shared and source.var(name).persistable:
            value = np.array(teacher_scope.find_var(name).get_tensor())
            scope.var(new).get_tensor().set(value, place)


def merge_with_paddleslim(
    part: Any,
    student: Any,
    feeds: Iterable[str],
    *,
    scope: Any,
    teacher_scope: Any,
    place: Any,
) -> None:
    """As `merge_teacher`, by ``paddleslim.dist.merge``: what ours is held against in the tests.

    PaddleSlim does not look at the names of the inputs, so that is done here first.

    Raises:
        ConfigError, TrainError: as `merge_teacher`.
        MissingDependency: PaddleSlim is not installed.
    """
    require_paddleslim("train.teacher_engine: merge", "train.teacher_engine=own")
    used = check_merge(part, student, feeds)
    from paddleslim.dist import merge

    names = {name: name for name in used}
    merge(part, student, names, place, scope=scope, teacher_scope=teacher_scope, name_prefix=PREFIX)


def check_merge(part: Any, student: Any, feeds: Iterable[str]) -> list[str]:
    """Hold the inputs of a teacher against those of the student.

    Returns:
        the inputs that the teacher's part reads.

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
    return used


def _copy_variable(var: Any, name: str, block: Any) -> None:
    tensor = var.type == paddle.base.core.VarDesc.VarType.LOD_TENSOR
    block.create_var(
        name=name,
        type=var.type,
        # A variable of another kind (a reader, a list of steps) has none of these.
        **({"shape": var.shape, "dtype": var.dtype, "lod_level": var.lod_level} if tensor else {}),
        persistable=var.persistable,
        stop_gradient=True,
    )


def _copy_op(op: Any, names: dict[str, str], block: Any) -> None:
    """Append an op with its variables renamed; the desc is copied, so no attribute is lost."""
    copy = block.desc.append_op()
    copy.copy_from(op.desc)
    for slot in op.input_names:
        copy.set_input(slot, [names.get(name, name) for name in op.input(slot)])
    for slot in op.output_names:
        copy.set_output(slot, [names.get(name, name) for name in op.output(slot)])


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
