"""Whether two programs can be fed the same: a teacher sees what its student sees."""

from __future__ import annotations

from typing import NamedTuple

from graphprobe.ir import Value
from graphprobe.pairing.analysis import ProgramAnalysis


class InputComparison(NamedTuple):
    """What was found about the inputs of two programs.

    Args:
        differ: why one cannot be fed what the other is fed, a sentence; empty where it can.
        sizes: that both take images, of other sizes; empty where not.
    """

    differ: str = ""
    sizes: str = ""


def compare_inputs(student: ProgramAnalysis, teacher: ProgramAnalysis) -> InputComparison:
    """Compare the inputs that reach layers, by kind of number, rank and channels; never by name.

    What only losses or the decoding read (labels, sizes of the original images) does not count.
    """
    ours, theirs = list(student.inputs), list(teacher.inputs)
    left = list(theirs)
    matched: list[tuple[Value, Value]] = []
    lacking: list[Value] = []
    for value in ours:
        fits = [other for other in left if _fits(student, value, teacher, other)]
        if fits:
            matched.append((value, fits[0]))
            left.remove(fits[0])
        else:
            lacking.append(value)
    if lacking and left:
        mine, other = _text(student, lacking[0]), _text(teacher, left[0])
        return InputComparison(
            f"the student is fed {mine} and the teacher {other}: one cannot be fed what the other "
            f"is fed"
        )
    return InputComparison(sizes=_sizes(student, teacher, matched))


def _fits(mine: ProgramAnalysis, a: Value, other: ProgramAnalysis, b: Value) -> bool:
    if _is_whole(mine, a) != _is_whole(other, b):
        return False
    first, second = mine.shape(a) or (), other.shape(b) or ()
    if 4 in (len(first), len(second)):
        if len(first) != len(second):
            return False
        channels = _channels(mine, a), _channels(other, b)
        return min(channels) < 1 or channels[0] == channels[1]
    # Words may come as [N, T], [N, T, 1] or a flat list with offsets.
    return _is_whole(mine, a) or len(first) == len(second)


def _is_whole(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether an input holds whole numbers, as words or classes do."""
    var = analysis.program.var(value.name, value.block)
    return var is not None and var.dtype in ("int32", "int64", "int16", "int8")


def _channels(analysis: ProgramAnalysis, value: Value) -> int:
    shape, place = analysis.shape(value) or (), analysis.spatial[value.id]
    return shape[3] if place is not None and place.h == 1 else shape[1]


def _size(analysis: ProgramAnalysis, value: Value) -> tuple[int, ...]:
    shape, place = analysis.shape(value) or (), analysis.spatial[value.id]
    if len(shape) != 4:
        return ()
    return shape[1:3] if place is not None and place.h == 1 else shape[2:]


def _sizes(
    student: ProgramAnalysis, teacher: ProgramAnalysis, matched: list[tuple[Value, Value]]
) -> str:
    for mine, other in matched:
        sizes = _size(student, mine), _size(teacher, other)
        if all(sizes) and min(*sizes[0], *sizes[1]) > 0 and sizes[0] != sizes[1]:
            ours, theirs = ("x".join(str(n) for n in size) for size in sizes)
            return (
                f"the student is made for images of {ours} and the teacher for {theirs}: where "
                f"maps differ in size the student's are resized; export both at one size to "
                f"compare them as they are"
            )
    return ""


def _text(analysis: ProgramAnalysis, value: Value) -> str:
    var = analysis.program.var(value.name, value.block)
    dtype = var.dtype if var is not None else "unknown"
    return f"{value.name} ({dtype} {list(analysis.shape(value) or ())})"
