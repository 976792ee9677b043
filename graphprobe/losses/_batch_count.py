"""What a sum over a batch is divided by, marked so that several processes can share it."""

from __future__ import annotations

from typing import Any

MARK = "graphprobe_batch_count"


def batch_count(found: Any, least: float = 1.0) -> Any:
    """Add the op that bounds what a sum over a batch is divided by.

    Args:
        found: of the current paddle program, one number ([] or [1]): how many objects the batch
            has, say, or which share of its pixels counts.
        least: its lower bound, so that a batch without any divides by no zero.

    Returns:
        the same shape, without gradient. Each of several processes finds it in its part of a batch
        only; the mark on its op tells `graphprobe.training.distributed.process_group` to take
        the mean over all of them.
    """
    import paddle

    bounded = paddle.clip(found, min=least)
    bounded.stop_gradient = True
    bounded.op._set_attr(MARK, True)
    return bounded
