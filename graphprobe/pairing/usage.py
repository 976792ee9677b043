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
    move_of,
    moves_only,
    reads_size_only,
)
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.channel_indices import trace_channel_indices


class Usage(NamedTuple):
    """What happens to a tensor behind the layer that makes it.

    Args:
        softmaxed: whether a softmax or log_softmax is applied to it.
        softmax: axis of the tensor that it makes a distribution of; None where that is open.
        ranked: axis of the tensor along which an arg_max or top_k picks; None likewise.
        lowest: whether an arg_min picks the smallest of its entries: of distances, or costs.
        ranks_others: whether one picks along something else, as over all cells of a map.
        elsewhere: whether a softmax is over something else, as over all cells of a map or over
            parts of a vector.
        grouped: whether a softmax is over some of the channels of each cell, as over the
            classes of each anchor.
        sigmoid: whether a sigmoid turns each entry into a score of its own.
        stretched: whether what the sigmoid gives is stretched: a measure, and no score.
        peaks: whether it is compared with the largest around each of its own entries.
        returned: whether the program returns it, moved or activated at most.
        readers: types of the first ops that compute with it, beside the activations.
    """

    softmaxed: bool = False
    softmax: int | None = None
    ranked: int | None = None
    lowest: bool = False
    ranks_others: bool = False
    elsewhere: bool = False
    grouped: bool = False
    sigmoid: bool = False
    stretched: bool = False
    peaks: bool = False
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
    softmaxed = elsewhere = grouped = lowest = others = sigmoid = stretched = peaks = returned = (
        False
    )
    scores: set[int] = set()
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
                if axis is None and _is_along_cells(analysis, value, here, op):
                    apart = _is_over_groups(analysis, value, here, op)
                    grouped, elsewhere = grouped or apart, elsewhere or not apart
            elif ranks(op.type):
                axis = _axis_of(analysis, value, here, op)
                ranked = axis if ranked is None else ranked
                others |= axis is None
                lowest |= computed_by(op.type) == "argmin"
            sigmoid |= computed_by(op.type) == "sigmoid"
            stretched |= (
                here.id in scores and computed_by(op.type) == "affine" and not _is_score(op)
            )
            peaks |= keeps_size(analysis, op)
            if not moves_only(op.type) and not is_pointwise(op.type):
                readers.add(op.type)
                continue
            for written in analysis.flow.writes(op):
                if here.id in scores or computed_by(op.type) == "sigmoid":
                    scores.add(written.id)
                if written.id not in seen:
                    seen.add(written.id)
                    queue.append(written)
    return Usage(
        softmaxed,
        softmax,
        ranked,
        lowest=lowest,
        ranks_others=others,
        elsewhere=elsewhere,
        grouped=grouped,
        sigmoid=sigmoid,
        stretched=stretched,
        peaks=peaks and any(kind_of(type_) in _COMPARE for type_ in readers),
        returned=returned,
        readers=frozenset(readers),
    )


# At most so much is added to a score in front of a logarithm.
_FINITE = 1e-2
# What a map and the largest around each of its entries are compared with.
_COMPARE = ("comparison", "elementwise")


def is_one(op: Op) -> bool:
    """Whether an op is the scale by 1 that exporters put before an output."""
    neutral = op.attrs.get("scale", 1.0) == 1.0 and not op.attrs.get("bias", 0.0)
    return neutral and computed_by(op.type) == "affine"


def _is_score(op: Op) -> bool:
    """Whether of a score p the op makes p or 1 - p again, but for what keeps a logarithm finite."""
    scale, bias = op.attrs.get("scale", 1.0), op.attrs.get("bias", 0.0)
    if not isinstance(scale, float | int) or not isinstance(bias, float | int):
        return False
    return any(scale == a and abs(bias - b) <= _FINITE for a, b in ((1.0, 0.0), (-1.0, 1.0)))


def keeps_size(analysis: ProgramAnalysis, op: Op) -> bool:
    """Whether an op pools around each entry of a map, and not into a smaller one."""
    if kind_of(op.type) != "pool":
        return False
    x, out = analysis.flow.read(op, "X"), analysis.flow.written(op, "Out")
    if x is None or out is None:
        return False
    before, after = analysis.stride(x), analysis.stride(out)
    sizes = analysis.shape(x) or ()
    known = before is not None or (len(sizes) == 4 and min(sizes[2:]) > 0)
    return known and before == after and len(sizes) == 4 and sizes == analysis.shape(out)


def _is_along_cells(analysis: ProgramAnalysis, value: Value, here: Value, op: Op) -> bool:
    """Whether a softmax runs along an axis that holds no channels: of another, known size."""
    shape, now = analysis.shape(value) or (), analysis.shape(here) or ()
    axis = op.attrs.get("axis", -1)
    if len(shape) < 2 or not isinstance(axis, int) or not -len(now) <= axis < len(now):
        return False
    return now[axis] > 0 and now[axis] != shape[1 if len(shape) == 4 else -1] > 0


def _is_over_groups(analysis: ProgramAnalysis, value: Value, here: Value, op: Op) -> bool:
    """Whether a softmax runs along some of the channels of each cell of a map.

    They lie beside each other on the last axis where the channels were moved there, and are an
    axis of their own where [N, A * K, H, W] became [N, A, K, H, W].
    """
    shape, now = analysis.shape(value) or (), analysis.shape(here) or ()
    axis = op.get_int("axis", -1) % max(len(now), 1)
    if len(shape) != 4 or not 1 < now[axis] < shape[1] or shape[1] % now[axis]:
        return False
    if axis == len(now) - 1 and _has_channels_last(analysis, value, here):
        return True
    numbers = trace_channel_indices(analysis, value, 1, shape[1], activated=True).get(here.id)
    return numbers is not None and numbers.shape[axis] == now[axis]


def _has_channels_last(analysis: ProgramAnalysis, value: Value, here: Value) -> bool:
    """Whether a transpose between two values makes the channels of a map its last axis."""
    for _ in range(16):
        op = analysis.producer(here)
        if op is None or here.id == value.id:
            return False
        if move_of(op.type) == "transpose":
            return (op.get_ints("axis") or op.get_ints("perm"))[-1:] == (1,)
        reads = analysis.reads(op)
        if len(reads) != 1:
            return False
        here = reads[0]
    return False


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
