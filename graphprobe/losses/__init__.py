"""Losses between a student and a teacher, one file each; paddle is imported only in `build`."""

from __future__ import annotations

from graphprobe.errors import UsageError, did_you_mean
from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, class_axis, detach, same_shape
from graphprobe.losses._batch_count import MARK as BATCH_COUNT_MARK
from graphprobe.losses._batch_count import batch_count
from graphprobe.registry import discover

__all__ = [
    "BATCH_COUNT_MARK",
    "Loss",
    "Shape",
    "all_losses",
    "batch_count",
    "class_axis",
    "detach",
    "find_loss",
    "same_shape",
]


def all_losses() -> dict[str, Loss]:
    """Every loss by name."""
    return discover("graphprobe.losses", "LOSS", Loss)


def find_loss(name: str) -> Loss:
    """The loss of this name.

    Raises:
        UsageError: there is none.
    """
    losses = all_losses()
    if name not in losses:
        hint = did_you_mean(name, losses) or f"known are {', '.join(losses)}"
        raise UsageError(f"unknown loss {name!r}", hint=hint)
    return losses[name]
