"""Ops that pass tensors between processes: Paddle 3.1 renamed them.

``c_allreduce_sum`` and ``c_broadcast`` of Paddle 2 are ``all_reduce`` and ``broadcast``, with
operands in small letters and without a choice of the stream.
"""

from __future__ import annotations

from typing import Any

RING = 0
SUM = 0  # phi::ReduceType::kRedSum


def sum_op(source: str, target: str) -> dict[str, Any]:
    """What ``Block.append_op`` takes to put the sum over all processes of a variable into another.

    Args:
        source: name of a tensor.
        target: name of a tensor of its shape, or the same.
    """
    if has_old_ops():
        return _old("c_allreduce_sum", source, target)
    return _new("all_reduce", source, target, reduce_type=SUM)


def broadcast_op(name: str) -> dict[str, Any]:
    """What ``Block.append_op`` takes to give every process the value that rank 0 has."""
    if has_old_ops():
        return _old("c_broadcast", name, name, root=0)
    return _new("broadcast", name, name, root=0)


def waits_for_others(op: str) -> bool:
    """Whether an op of this type ends only when other processes have come to it."""
    return op.startswith("c_") or op in ("all_reduce", "broadcast")


def has_old_ops() -> bool:
    """Whether this Paddle has the collective ops of Paddle 2."""
    from paddle.base.framework import OpProtoHolder

    return "c_allreduce_sum" in OpProtoHolder.instance().op_proto_map


def _old(op: str, source: str, target: str, **attrs: int) -> dict[str, Any]:
    ends = {"inputs": {"X": [source]}, "outputs": {"Out": [target]}}
    return {"type": op, **ends, "attrs": {"ring_id": RING, "use_calc_stream": True, **attrs}}


def _new(op: str, source: str, target: str, **attrs: int) -> dict[str, Any]:
    ends = {"inputs": {"x": [source]}, "outputs": {"out": [target]}}
    return {"type": op, **ends, "attrs": {"ring_id": RING, **attrs}}
