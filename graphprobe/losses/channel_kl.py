"""Where each channel of a map looks: its positions as a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, detach, same_shape


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    positions = students[0][2:]
    if not positions:
        return [f"{list(students[0])} has no positions beside batch and channels"]
    if all(size == 1 for size in positions):
        return ["a softmax over one position is always 1, so the loss is always 0"]
    return same_shape(students[0], teachers[0])


def _build(students: Sequence[Any], teachers: Sequence[Any], *, temperature: float = 1.0) -> Any:
    """mean(T^2 sum(p_t log(p_t / p_s))), p the softmax of x / T over the positions of a channel.

    The sum is over the positions, the mean over images and channels. Adding a number to a channel
    changes nothing; its scale does.

    Args:
        students: one variable, [N, C, H, W] (or other positions behind the channels).
        teachers: one variable of that shape.
        temperature: T.

    Returns:
        a scalar, [].

    Source: Shu et al., "Channel-wise Knowledge Distillation for Dense Prediction",
    arXiv 2011.13256. MMRazor trains segmentation logits with T 1 and weight 5.
    """
    import paddle
    from paddle.nn import functional as f

    teacher, student = (
        f.log_softmax(paddle.flatten(x, 2) / temperature, axis=-1)
        for x in (detach(teachers)[0], students[0])
    )
    divergence = paddle.sum(paddle.exp(teacher) * (teacher - student), axis=-1)
    return temperature**2 * paddle.mean(divergence)


LOSS = Loss(
    "channel_kl",
    inputs=("feature",),
    default_weight=5.0,
    check=_check,
    build=_build,
    options={"temperature": 1.0},
)
