"""Parts of a vector that a program uses apart: slices of it, and groups that a softmax is over.

One layer may make what several outputs are taken from: y[:, :7] goes through a softmax and y[:, 7:]
is returned, or [N, 144] becomes [N, 4, 36] in front of a softmax over the last axis. What can be
taught is then the slice or the reshaped tensor, and not the vector that they are taken from.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ir import Op, Value
from graphprobe.ops.kinds import (
    head_slots,
    is_one_to_one,
    kind_of,
    move_of,
    moves_only,
    reads_size_only,
)
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.map_kinds import is_map
from graphprobe.pairing.trace import ends_layer
from graphprobe.pairing.usage import ranks

_CUTS = frozenset({"slice", "split", "unstack"})
_JOINS = frozenset({"concat", "stack"})


def vector_parts(analysis: ProgramAnalysis) -> dict[int, int]:
    """Ids of the parts that the program computes with -> that of the vector each is taken from."""
    if "vector parts" not in analysis.memo:
        moved = _Moved(analysis)
        found = {i: moved.origin[i] for i in moved.cut if moved.is_used(analysis.flow.values[i])}
        for op in analysis.ops:
            found.update(moved.regrouped(op))
        analysis.memo["vector parts"] = found
    parts: dict[int, int] = analysis.memo["vector parts"]
    return parts


def first_equal(analysis: ProgramAnalysis, value: Value) -> Value:
    """Of several slices that hold the same numbers the first in the program; else the value."""
    if "first slices" not in analysis.memo:
        firsts: dict[tuple[object, ...], int] = {}
        slices = (op for op in analysis.ops if move_of(op.type) == "slice")
        made = ((_taken(analysis, op), list(analysis.flow.writes(op))) for op in slices)
        analysis.memo["first slices"] = {
            values[0].id: firsts.setdefault(taken, values[0].id)
            for taken, values in made
            if taken and len(values) == 1
        }
    first: dict[int, int] = analysis.memo["first slices"]
    return analysis.flow.values[first.get(value.id, value.id)]


def _taken(analysis: ProgramAnalysis, op: Op) -> tuple[object, ...]:
    """What a slice takes out of what; empty where only a run of the program shows it."""
    reads = [i for ids in analysis.flow.inputs[op.id].values() for i in ids]
    if len(reads) != 1:  # places that tensors hold
        return ()
    names = ("axes", "starts", "ends", "strides", "decrease_axis")
    return (reads[0], op.type, *(op.get_ints(name) for name in names))


class _Moved:
    """What is moved from vectors that layers make, and what holds only some of their numbers."""

    def __init__(self, analysis: ProgramAnalysis) -> None:
        self.analysis = analysis
        self.origin: dict[int, int] = {}
        self.cut: set[int] = set()
        for op in analysis.ops:
            if ends_layer(analysis, op):
                made = (v for v in analysis.flow.writes(op) if not is_map(analysis, v))
                self.origin.update({v.id: v.id for v in made if analysis.shape(v)})
            elif moves_only(op.type):
                self._move(op)

    def _move(self, op: Op) -> None:
        reads, writes = self.analysis.reads(op), self.analysis.flow.writes(op)
        origins = {self.origin.get(v.id) for v in reads}
        if len(origins) != 1 or None in origins:
            return
        for value in writes:
            self.origin[value.id] = self.origin[reads[0].id]
            if self._is_cut(op, reads, value):
                self.cut.add(value.id)

    def _is_cut(self, op: Op, reads: list[Value], value: Value) -> bool:
        whole = self.analysis.shape(self.analysis.flow.values[self.origin[value.id]])
        if move_of(op.type) in _JOINS:
            return self.analysis.shape(value) != whole
        shape = self.analysis.shape(value)
        if move_of(op.type) in _CUTS and shape != self.analysis.shape(reads[0]):
            return True
        return reads[0].id in self.cut

    def is_used(self, value: Value) -> bool:
        """Whether a program returns a value, or does more with it than move it on."""
        if value.id in self.analysis.outputs:
            return True
        for op in self.analysis.consumers(value):
            if kind_of(op.type) == "output":
                return True
            moved = any(v.id in self.origin for v in self.analysis.flow.writes(op))
            if not reads_size_only(op.type) and not (moves_only(op.type) and moved):
                return True
        return False

    def regrouped(self, op: Op) -> Iterator[tuple[int, int]]:
        """What a softmax, an arg_max or a loss over classes reads, where its axis is a new one."""
        for slot in _slots(op):
            value = self.analysis.flow.read(op, slot)
            if value is None:
                continue
            part = self._before_activations(value)
            start = self.origin.get(part.id)
            axis = op.attrs.get("axis", -1)
            if start is None or not isinstance(axis, int):
                continue
            if self._is_new_axis(part, self.analysis.flow.values[start], axis):
                yield part.id, start

    def _before_activations(self, value: Value) -> Value:
        op = self.analysis.producer(value)
        while value.id not in self.origin and op is not None and is_one_to_one(op.type):
            reads = self.analysis.reads(op)
            if len(reads) != 1:
                break
            value = reads[0]
            op = self.analysis.producer(value)
        return value

    def _is_new_axis(self, part: Value, start: Value, axis: int) -> bool:
        shape, whole = self.analysis.shape(part) or (), self.analysis.shape(start) or ()
        if not -len(shape) <= axis < len(shape) or len(shape) > 3:
            return False
        return shape[axis] > 0 and shape[axis] not in whole[1:]


def _slots(op: Op) -> tuple[str, ...]:
    """Where an op reads what it compares along one axis; none for other ops."""
    if kind_of(op.type) == "softmax":
        return ("X",)
    if ranks(op.type) or kind_of(op.type) == "loss":
        return tuple(head.slot for head in head_slots(op.type) if head.what in ("class", "any"))
    return ()
