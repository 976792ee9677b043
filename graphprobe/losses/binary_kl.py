"""Outputs whose every entry is a probability of its own, as a sigmoid makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, detach, same_shape

# Probabilities are kept this far from 0 and 1, where their logits are infinite.
_MARGIN = 1e-6


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    return same_shape(students[0], teachers[0])


def _build(
    students: Sequence[Any],
    teachers: Sequence[Any],
    *,
    temperature: float = 1.0,
    logits: bool = True,
) -> Any:
    """mean(T^2 (p_t log(p_t / p_s) + (1 - p_t) log((1 - p_t) / (1 - p_s)))), p = sigmoid(x / T).

    Args:
        students: one variable of any shape.
        teachers: one variable of that shape.
        temperature: T.
        logits: whether the variables stand before their sigmoid; where they are probabilities
            already, their logits are taken, kept within about 14 either way.

    Returns:
        a scalar, [].

    Source: the softened targets of Hinton et al., arXiv 1503.02531, for one class against all
    others, as Yang et al., "Multi-Label Knowledge Distillation", arXiv 2308.06453.
    """
    import paddle
    from paddle.nn import functional as f

    variables = detach(teachers)[0], students[0]
    t, s = (x / temperature for x in (variables if logits else map(_logit, variables)))
    divergence = f.sigmoid(t) * (f.log_sigmoid(t) - f.log_sigmoid(s)) + f.sigmoid(-t) * (
        f.log_sigmoid(-t) - f.log_sigmoid(-s)
    )
    return temperature**2 * paddle.mean(divergence)


def _logit(probability: Any) -> Any:
    import paddle

    kept = paddle.clip(probability, _MARGIN, 1.0 - _MARGIN)
    return paddle.log(kept) - paddle.log(1.0 - kept)


LOSS = Loss(
    "binary_kl",
    inputs=("logits",),
    default_weight=1.0,
    check=_check,
    build=_build,
    options={"temperature": 1.0, "logits": True},
)
