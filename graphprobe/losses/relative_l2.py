"""The mean squared difference of two features, measured by the size of the teacher's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, detach, same_shape
from graphprobe.losses._batch_count import batch_count

# A teacher's feature below 1e-6 everywhere counts as this large, so that zeros divide by no zero.
_LEAST_MEAN_SQUARE = 1e-12


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    return same_shape(students[0], teachers[0])


def _build(students: Sequence[Any], teachers: Sequence[Any]) -> Any:
    """mean((t - s)^2) / mean(t^2), both means over the whole batch.

    0 where the features are equal, 1 where the student's is all zeros, whatever the unit of the
    feature is: those of exported programs are as small as 1e-4 and as large as 1e6.

    Args:
        students: one variable of any shape.
        teachers: one variable of that shape.

    Returns:
        a scalar, [].

    Source: the hint loss of Romero et al., "FitNets", arXiv 1412.6550, over the mean square of the
    hint.
    """
    import paddle

    teacher = detach(teachers)[0]
    difference = students[0] - teacher
    size = batch_count(paddle.mean(teacher * teacher), least=_LEAST_MEAN_SQUARE)
    return paddle.mean(difference * difference) / size


LOSS = Loss("relative_l2", inputs=("feature",), default_weight=1.0, check=_check, build=_build)
