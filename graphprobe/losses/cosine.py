"""How far the direction of two features differs, whatever their length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, class_axis, detach, same_shape

# Vectors shorter than 1e-10 have no direction: their cosine with any other is 0.
_LEAST_SQUARE = 1e-20


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    if not students[0] or not teachers[0]:
        return ["a cosine needs vectors, not one number"]
    if students[0][class_axis(students[0])] == 1:
        return ["vectors of one number have no direction, so the loss does not distinguish them"]
    return same_shape(students[0], teachers[0])


def _build(students: Sequence[Any], teachers: Sequence[Any], *, axis: int = -1) -> Any:
    """mean(1 - (s . t) / (|s| |t|)), the product and the lengths along one dimension.

    Args:
        students: one variable, [N, ..., C, ...].
        teachers: one variable of that shape.
        axis: the dimension C of the vectors: -1, or 1 for [N, C, H, W], a vector a position.

    Returns:
        a scalar, [], from 0 (equal directions) to 2.

    Source: the cosine loss between hidden states of Sanh et al., "DistilBERT", arXiv 1910.01108.
    """
    import paddle

    student, teacher = (_unit(x, axis) for x in (students[0], detach(teachers)[0]))
    return 1.0 - paddle.mean(paddle.sum(student * teacher, axis=axis))


def _unit(x: Any, axis: int) -> Any:
    """Vectors of length 1; those without a length stay what they are, and so do gradients."""
    import paddle

    square = paddle.sum(x * x, axis=axis, keepdim=True)
    return x * paddle.rsqrt(paddle.clip(square, min=_LEAST_SQUARE))


LOSS = Loss(
    "cosine",
    inputs=("feature",),
    default_weight=1.0,
    check=_check,
    build=_build,
    options={"axis": -1},
)
