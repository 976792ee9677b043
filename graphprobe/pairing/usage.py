"""What a program does with a tensor: the activation behind it and the ops that use the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from graphprobe.ir import Op, Value
from graphprobe.ops.kinds import (
    computed_by,
    head_slots,
    is_pointwise,
    kind_of,
    moves_only,
    reads_size_only,
)
from graphprobe.pairing.analysis import ProgramAnalysis


class Usage(NamedTuple):
    """What happens to a tensor behind the layer that makes it.

    Args:
        softmaxed: whether a softmax or log_softmax is applied to it.
        softmax: axis of the tensor that it makes a distribution of; None where that is open.
        ranked: axis of the tensor along which an arg_max or top_k picks; None likewise.
        ranks_others: whether one picks along something else, as over all cells of a map.
        sigmoid: whether a sigmoid turns each entry into a score of its own.
        returned: whether the program returns it, moved or activated at most.
        readers: types of the first ops that compute with it, beside the activations.
    """

    softmaxed: bool = False
    softmax: int | None = None
    ranked: int | None = None
    ranks_others: bool = False
    sigmoid: bool = False
    returned: bool = False
    readers: frozenset[str] = frozenset()


def ranks(op_type: str) -> bool:
    """Whether an op picks the best entries along one axis: arg_max, top_k."""
    return kind_of(op_type) == "select" and bool(head_slots(op_type))


def usage(analysis: ProgramAnalysis, value: Value) -> Usage:
    """Follow a value through ops that move or activate it to those that compute with it."""
    memo: dict[int, Usage] = analysis.memo.setdefault("usage", {})
    if value.id not in memo:
        memo[value.id] = _usage(analysis, value)
    return memo[value.id]


def _usage(analysis: ProgramAnalysis, value: Value) -> Usage:
    queue, seen = [value], {value.id}
    softmax = ranked = None
    softmaxed = others = sigmoid = returned = False
    readers: set[str] = set()
    for here in queue:
        returned |= is_returned(analysis, here)
        for op in analysis.consumers(here):
            if reads_size_only(op.type):
                continue
            if kind_of(op.type) == "softmax":
                softmaxed = True
                axis = _axis_of(analysis, value, here, op)
                softmax = axis if softmax is None else softmax
            elif ranks(op.type):
                axis = _axis_of(analysis, value, here, op)
                ranked = axis if ranked is None else ranked
                others |= axis is None
            sigmoid |= computed_by(op.type) == "sigmoid"
            if not moves_only(op.type) and not is_pointwise(op.type):
                readers.add(op.type)
                continue
            for written in analysis.flow.writes(op):
                if written.id not in seen:
                    seen.add(written.id)
                    queue.append(written)
    return Usage(softmaxed, softmax, ranked, others, sigmoid, returned, frozenset(readers))


def is_returned(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether a value is an output of the program."""
    return value.id in analysis.outputs


def _axis_of(analysis: ProgramAnalysis, value: Value, here: Value, op: Op) -> int | None:
    """The axis of `value` that an op works along, which reads `here`, moved from `value`.

    None where moves in between leave it open.
    """
    shape, now = analysis.shape(value), analysis.shape(here)
    if not shape or not now:
        return None
    axis = op.attrs.get("axis", -1)
    if not isinstance(axis, int) or not -len(now) <= axis < len(now):
        return None
    axis %= len(now)
    if len(now) == 2 and len(shape) == 4 and axis == 1 and now[1] == shape[1]:
        return 1
    return moved_axis(axis, now, shape)


def moved_axis(axis: int, shape: Sequence[int], other: Sequence[int]) -> int | None:
    """The axis of a shape in another one that holds the same numbers, moved.

    It is the one of that size beside the batch; None where that is open.
    """
    if tuple(shape) == tuple(other):
        return axis
    size = shape[axis]
    same = [i for i, n in enumerate(other) if i > 0 and n == size]
    return same[0] if size > 0 and len(same) == 1 else None
