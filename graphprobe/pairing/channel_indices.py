"""Which channels of a tensor a value holds, after any moving about: slice, reshape, transpose...

The channels of the tensor are numbered; a small array of these numbers, with every other axis of
size 1, is moved as the program moves the tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np

from graphprobe.ir import Op, Value
from graphprobe.ops.facets import Move
from graphprobe.ops.kinds import computed_by, is_identity, is_pointwise, move_of
from graphprobe.pairing.analysis import ProgramAnalysis

Indices: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
# A file sets how many channels there are, and how often they are joined: more are not followed.
MOST_CHANNELS = 1 << 16
MOST_FOLLOWED = 1 << 24


def trace_channel_indices(
    analysis: ProgramAnalysis, head: Value, axis: int, channels: int, activated: bool = False
) -> dict[int, Indices]:
    """For every value moved from `head`, the channel indices that it holds, by value id.

    What is more than `MOST_FOLLOWED` indices in sum is left out.

    Args:
        analysis: the program.
        head: the tensor whose channels are followed.
        axis: its channel axis.
        channels: its number of channels.
        activated: whether ops that change numbers in their places are followed too, as a sigmoid.
    """
    if channels > MOST_CHANNELS:
        return {}
    rank = len(analysis.shape(head) or ())
    sizes = [channels if i == axis else 1 for i in range(rank)]
    indices = {head.id: np.arange(channels, dtype=np.int64).reshape(sizes)}
    waits: dict[int, set[int]] = {}  # op -> what it moves that is not known yet
    left = MOST_FOLLOWED
    queue = [head]
    for value in queue:
        for op in analysis.consumers(value):
            trace = _KEEP if activated and _keeps_places(op) else _tracer(op)
            if trace is None or value.id not in waits.setdefault(op.id, set(_read(analysis, op))):
                continue
            waits[op.id].remove(value.id)
            if waits[op.id] and not _joins_places(op, indices[value.id], channels):
                continue  # a stack waits for its last part
            left -= 1 + sum(indices[i].size for i in _read(analysis, op) if i in indices)
            if left < 0:
                return indices
            try:
                if waits[op.id]:
                    moved = [(made, indices[value.id]) for made in _out(analysis, op)]
                else:
                    moved = trace(analysis, op, indices)
            except (IndexError, ValueError):
                continue  # attributes that do not fit the shapes, in a damaged program
            for made, array in moved:
                if made.id not in indices:
                    indices[made.id] = array
                    queue.append(made)
    return indices


def _keeps_places(op: Op) -> bool:
    """Whether every channel lies where it was: activated, or with numbers put into some of them."""
    return is_pointwise(op.type) or computed_by(op.type) == "put"


def _joins_places(op: Op, array: Indices, channels: int) -> bool:
    """Whether an op puts the cells of other maps beside those of a map: each keeps its channels."""
    axis = op.get_int("axis")
    if move_of(op.type) != "concat" or not -array.ndim <= axis < array.ndim:
        return False
    return array.size == channels > 1 and array.shape[axis] == 1


def _read(analysis: ProgramAnalysis, op: Op) -> Sequence[int]:
    """The values that an op moves, by id."""
    ids = analysis.flow.inputs[op.id]
    return ids.get("X") or ids.get("Input") or ()


_Traced: TypeAlias = list[tuple[Value, Indices]]


def _data(analysis: ProgramAnalysis, op: Op, indices: dict[int, Indices]) -> list[Indices]:
    return [indices[i] for i in _read(analysis, op)]


def _out(analysis: ProgramAnalysis, op: Op) -> list[Value]:
    slots = analysis.flow.outputs[op.id]
    return [
        analysis.flow.values[i]
        for i in slots.get("Out") or slots.get("Y") or slots.get("Output") or ()
    ]


def _one(
    rule: Callable[[Op, Indices], Indices | None],
) -> Callable[[ProgramAnalysis, Op, dict[int, Indices]], _Traced]:
    """A move of one tensor into one."""

    def move(analysis: ProgramAnalysis, op: Op, indices: dict[int, Indices]) -> _Traced:
        data, out = _data(analysis, op, indices), _out(analysis, op)
        array = rule(op, data[0]) if len(data) == 1 and len(out) == 1 else None
        return [] if array is None else [(out[0], array)]

    return move


def _slice(op: Op, array: Indices) -> Indices | None:
    axes, starts, ends = (op.get_ints(name) for name in ("axes", "starts", "ends"))
    if not axes:
        return None
    steps = op.get_ints("strides") or (1,) * len(axes)
    index = [slice(None)] * array.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=False):
        if not -array.ndim <= axis < array.ndim or step <= 0:
            return None
        if array.shape[axis] > 1:
            index[axis] = slice(start, end, step)
    taken = array[tuple(index)]
    gone = tuple(a for a in op.get_ints("decrease_axis") if taken.shape[a] == 1)
    return taken.squeeze(gone) if gone else taken


def _transpose(op: Op, array: Indices) -> Indices | None:
    order = op.get_ints("axis") or op.get_ints("perm")
    return array.transpose(order) if sorted(order) == list(range(array.ndim)) else None


def _unsqueeze(op: Op, array: Indices) -> Indices | None:
    axes = op.get_ints("axes")
    return np.expand_dims(array, axes) if axes else None


def _squeeze(op: Op, array: Indices) -> Indices | None:
    axes = op.get_ints("axes")
    return array.squeeze(axes) if axes and all(array.shape[a] == 1 for a in axes) else None


def _joined(
    join: Callable[[list[Indices], int], Indices],
) -> Callable[[ProgramAnalysis, Op, dict[int, Indices]], _Traced]:
    def move(analysis: ProgramAnalysis, op: Op, indices: dict[int, Indices]) -> _Traced:
        data, out = _data(analysis, op, indices), _out(analysis, op)
        axis = op.get_int("axis")
        if len({a.shape for a in data}) != 1 or len(out) != 1 or abs(axis) > data[0].ndim:
            return []
        return [(out[0], join(data, axis))]

    return move


def _split(analysis: ProgramAnalysis, op: Op, indices: dict[int, Indices]) -> _Traced:
    array, out = _data(analysis, op, indices)[0], _out(analysis, op)
    axis, sections = op.get_int("axis"), op.get_ints("sections")
    if array.shape[axis] == 1:
        return [(value, array) for value in out]
    if sections and -1 not in sections and sum(sections) == array.shape[axis]:
        marks = np.cumsum(sections)[:-1]
    elif not sections and array.shape[axis] % len(out) == 0:
        marks = np.arange(1, len(out)) * (array.shape[axis] // len(out))
    else:
        return []
    return list(zip(out, np.split(array, marks, axis), strict=True))


def _reshape(analysis: ProgramAnalysis, op: Op, indices: dict[int, Indices]) -> _Traced:
    source, out = analysis.flow.read(op, "X"), _out(analysis, op)
    before = analysis.shape(source) if source is not None else None
    after = analysis.shape(out[0]) if len(out) == 1 else None
    if source is None or before is None or after is None:
        return []
    sizes = reshaped(before, indices[source.id].shape, after)
    return [] if sizes is None else [(out[0], indices[source.id].reshape(sizes))]


def reshaped(
    before: tuple[int, ...], traced: tuple[int, ...], after: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The sizes of the small array after a reshape of the tensor; None where it is not known.

    Args:
        before: sizes of the tensor, -1 where unknown.
        traced: sizes of the small array: those of the tensor on the channel axes, 1 elsewhere.
        after: sizes of the reshaped tensor.
    """
    # Unknown sizes are replaced by primes in order; both sides have the same unknown factors.
    primes = iter((1_000_003, 1_000_033, 1_000_037, 1_000_039, 1_000_081, 1_000_099, 1_000_117))
    known = [size if size > 0 else next(primes, 0) for size in before]
    total, unknown = prod(known), [i for i, size in enumerate(after) if size <= 0]
    wanted = list(after)
    lost = [k for k, size in zip(known, before, strict=True) if size <= 0]
    for n, i in enumerate(unknown):
        wanted[i] = lost[n] if len(unknown) == len(lost) else 0
    if len(unknown) == 1 and 0 in wanted:
        wanted[unknown[0]] = total // max(prod(w for w in wanted if w), 1)
    if prod(wanted) != total or 0 in known:
        return None
    return _grouped(known, traced, wanted)


def _grouped(
    known: list[int], traced: tuple[int, ...], wanted: list[int]
) -> tuple[int, ...] | None:
    """Split both sides into runs of equal products and carry the sizes over."""
    sizes: list[int] = []
    i = j = 0
    while i < len(known) and j < len(wanted):
        start, left, right, first = i, known[i], wanted[j], j
        while left != right:
            if left < right and i + 1 < len(known):
                i += 1
                left *= known[i]
            elif j + 1 < len(wanted):
                j += 1
                right *= wanted[j]
            else:
                return None
        run, out = traced[start : i + 1], wanted[first : j + 1]
        if len(out) == 1:
            sizes.append(prod(run))
        elif prod(run) == 1:
            sizes += [1] * len(out)
        elif list(run) == known[start : i + 1]:
            sizes += out
        else:
            return None
        i, j = i + 1, j + 1
    rest = [*known[i:], *wanted[j:]]
    return (*sizes, *([1] * (len(wanted) - j))) if all(n == 1 for n in rest) else None


def _same(_: Op, array: Indices) -> Indices | None:
    return array


_Tracer: TypeAlias = Callable[[ProgramAnalysis, Op, dict[int, Indices]], _Traced]

_TRACERS: dict[Move, _Tracer] = {
    "slice": _one(_slice),
    "transpose": _one(_transpose),
    "unsqueeze": _one(_unsqueeze),
    "squeeze": _one(_squeeze),
    "stack": _joined(lambda arrays, axis: np.stack(arrays, axis)),
    "concat": _joined(lambda arrays, axis: np.concatenate(arrays, axis)),
    "split": _split,
    "reshape": _reshape,
}
_KEEP = _one(_same)


def _tracer(op: Op) -> _Tracer | None:
    """What follows the channels through an op; None where they are not followed."""
    if is_identity(op.type):
        return _KEEP
    move = move_of(op.type)
    return None if move is None else _TRACERS.get(move)
