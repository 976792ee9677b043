"""The divisor of a sum over a batch, marked so that several processes average it."""

from __future__ import annotations

from typing import Any

MARK = "graphprobe_batch_count"


def batch_count(found: Any, least: float = 1.0) -> Any:
    """Add the op that bounds what a sum over a batch is divided by.

    Args:
        found: a variable of the current paddle program with one element ([] or [1]), such as the
            number of objects in the batch or the share of its pixels that counts.
        least: its lower bound, so that a batch without any divides by no zero.

    Returns:
        the same shape, without gradient. With several processes each one sees its part of a batch
        only; by the mark on the op `graphprobe.training.distributed.process_group` takes the
        mean over all of them.
    """
    import paddle

    bounded = paddle.clip(found, min=least)
    bounded.stop_gradient = True
    bounded.op._set_attr(MARK, True)
    return bounded
