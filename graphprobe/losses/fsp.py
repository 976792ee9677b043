"""The flow of solution procedure: how two layers of a network relate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, detach, known


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    problems = []
    for side, (start, end) in (("student", students), ("teacher", teachers)):
        if len(start) != 4 or len(end) != 4:
            problems.append(f"{side}: start and end must be [N, C, H, W]")
            continue
        if any(known(a, b) and a != b for a, b in zip(start[2:], end[2:], strict=True)):
            problems.append(f"{side}: start {list(start)} and end {list(end)} differ in H or W")
    if problems:
        return problems
    for part, student, teacher in zip(LOSS.inputs, students, teachers, strict=True):
        if known(student[1], teacher[1]) and student[1] != teacher[1]:
            problems.append(f"{part}: student has {student[1]} channels, teacher {teacher[1]}")
    return problems


def _build(students: Sequence[Any], teachers: Sequence[Any]) -> Any:
    """mean((F_t - F_s)^2), F(a, b) = a.reshape(N, C1, HW) @ b.reshape(N, C2, HW)^T / HW.

    Args:
        students: start [N, C1, H, W] and end [N, C2, H, W] of a stage.
        teachers: the same of the teacher, with the same C1 and C2; H and W may be others.

    Returns:
        a scalar, [].

    Source: Yim et al., "A Gift from Knowledge Distillation", CVPR 2017.
    """
    import paddle

    difference = _flow(*students) - _flow(*detach(teachers))
    return paddle.mean(difference * difference)


def _flow(start: Any, end: Any) -> Any:
    """[N, C1, H, W] and [N, C2, H, W] -> [N, C1, C2]."""
    import paddle

    a, b = paddle.flatten(start, 2), paddle.flatten(end, 2)
    positions = paddle.cast(paddle.shape(a)[2], a.dtype)
    return paddle.matmul(a, b, transpose_y=True) / positions


LOSS = Loss("fsp", inputs=("start", "end"), default_weight=1.0, check=_check, build=_build)
