"""Cross entropy with the teacher's softened probabilities as labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, class_axis, detach, same_shape


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    if min(len(students[0]), len(teachers[0])) < 2:
        return ["logits need a batch and a class dimension at least"]
    if students[0][class_axis(students[0])] == 1:
        return ["a softmax over one class is always 1, so the loss is always 0"]
    return same_shape(students[0], teachers[0])


def _build(
    students: Sequence[Any],
    teachers: Sequence[Any],
    *,
    student_temperature: float = 1.0,
    teacher_temperature: float = 1.0,
    axis: int = -1,
) -> Any:
    """mean(-sum(softmax(t / Tt) * log_softmax(s / Ts))), the sum over the classes.

    Args:
        students: one variable of logits, [N, ..., C, ...].
        teachers: one variable of logits of that shape.
        student_temperature: Ts.
        teacher_temperature: Tt.
        axis: the dimension of the classes: -1, or 1 for [N, C, H, W].

    Returns:
        a scalar, [].

    Source: Hinton et al., arXiv 1503.02531; `soft_label` of PaddleSlim 2.6.
    """
    import paddle
    from paddle.nn import functional as f

    labels = f.softmax(detach(teachers)[0] / teacher_temperature, axis=axis)
    logs = f.log_softmax(students[0] / student_temperature, axis=axis)
    return -paddle.mean(paddle.sum(labels * logs, axis=axis))


LOSS = Loss(
    "soft_label",
    inputs=("logits",),
    default_weight=1.0,
    check=_check,
    build=_build,
    options={"student_temperature": 1.0, "teacher_temperature": 1.0, "axis": -1},
)
