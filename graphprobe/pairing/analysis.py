"""A program with what the pair rules need to know of every value; linear in the program.

Only forward ops count. A value is *network* where it lies behind a layer with weights that an
input of the program reaches, and *label* where it depends on an input that reaches no layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from graphprobe.ir import Dataflow, Op, Program, Shape, Value
from graphprobe.ir.dataflow import reachable
from graphprobe.ops.kinds import (
    has_weights,
    is_convolution,
    is_upsampler,
    kind_of,
    moves_only,
    reads_size_only,
)
from graphprobe.ops.spatial.flow import propagate_spatial
from graphprobe.ops.spatial.info import SpatialInfo, image_spatial

Stride: TypeAlias = tuple[float, float]
_NO_OUTPUT = 1_000_000


@dataclass(frozen=True)
class ProgramAnalysis:
    """One program, analysed for pairs."""

    program: Program

    @cached_property
    def flow(self) -> Dataflow:
        """Reads and writes."""
        return self.program.dataflow

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """Forward ops in the order in which they run; those of a block follow the op that runs it.

        So what is read was written before, also where a loop hands its results on.
        """
        if len(self.program.blocks) == 1:
            return tuple(op for op in self.program.ops if op.role == "forward")
        return tuple(op for op in self._in_order() if op.role == "forward")

    def _in_order(self) -> Iterator[Op]:
        blocks = self.program.blocks
        entered: set[int] = set()
        for block in blocks:
            stack = [] if block.index in entered else [iter(block.ops)]
            entered.add(block.index)
            while stack:
                op = next(stack[-1], None)
                if op is None:
                    stack.pop()
                    continue
                yield op
                inner = op.attrs.get("sub_block")
                if isinstance(inner, int) and 0 < inner < len(blocks) and inner not in entered:
                    entered.add(inner)
                    stack.append(iter(blocks[inner].ops))

    @cached_property
    def _is_forward(self) -> list[bool]:
        return [op.role == "forward" for op in self.program.ops]

    def shape(self, value: Value) -> Shape | None:
        """The declared shape of a value's variable."""
        block = self.program.ops[value.producer].block if value.producer is not None else 0
        return self.program.shape(value.name, block)

    def producer(self, value: Value) -> Op | None:
        """The forward op that writes a value."""
        at = value.producer
        return self.program.ops[at] if at is not None and self._is_forward[at] else None

    def consumers(self, value: Value) -> Iterator[Op]:
        """The forward ops that read a value."""
        return (self.program.ops[i] for i in value.consumers if self._is_forward[i])

    def reads(self, op: Op) -> list[Value]:
        """Every value that an op reads and that depends on an input of the program."""
        values, fed = self.flow.values, self.depends_on_input
        return [values[i] for i in self._reads[op.id] if fed[i]]

    @cached_property
    def _reads(self) -> list[list[int]]:
        return [[i for ids in slots.values() for i in ids] for slots in self.flow.inputs]

    @cached_property
    def _writes(self) -> list[list[int]]:
        return [[i for ids in slots.values() for i in ids] for slots in self.flow.outputs]

    @cached_property
    def memo(self) -> dict[str, Any]:
        """What was found in this program before, by the name of the search."""
        return {}

    @cached_property
    def sources(self) -> tuple[Value, ...]:
        """The inputs of the program: read before anything writes them, not kept, no weight."""
        return tuple(v for v in self.flow.values if self._is_source(v))

    def _is_source(self, value: Value) -> bool:
        producer = self.producer(value)
        if producer is not None:
            return kind_of(producer.type) == "input"
        if value.producer is not None or not any(True for _ in self.consumers(value)):
            return False
        first = next(self.consumers(value))
        var = self.program.var(value.name, first.block)
        return var is not None and not var.persistable and var.kind == "tensor"

    @cached_property
    def depends_on_input(self) -> list[bool]:
        """For each value, whether it depends on an input of the program."""
        return self._spread({v.id for v in self.sources})

    def is_layer(self, op: Op) -> bool:
        """Whether an op multiplies what it reads with weights."""
        return self._layer[op.id]

    @cached_property
    def _layer(self) -> list[bool]:
        return [has_weights(op.type) and self._multiplies(op) for op in self.program.ops]

    def _multiplies(self, op: Op) -> bool:
        fed = [self.depends_on_input[i] for i in self._reads[op.id]]
        if not any(fed) or (not is_convolution(op.type) and all(fed)):
            return False
        return not self._is_projection(op)

    def _is_projection(self, op: Op) -> bool:
        """Whether an op takes the mean of a distribution (softmax before it) with fixed weights."""
        values = self.reads(op)
        for _ in range(8):
            before = self.producer(values[0]) if len(values) == 1 else None
            if before is None or not moves_only(before.type):
                return before is not None and kind_of(before.type) == "softmax"
            values = self.reads(before)
        return False

    @cached_property
    def layers(self) -> tuple[Op, ...]:
        """Every op with weights that an input reaches."""
        return tuple(op for op in self.ops if self.is_layer(op))

    @cached_property
    def labels(self) -> tuple[Value, ...]:
        """The inputs of the program that reach no layer."""
        start = [v.id for op in self.layers for v in self.reads(op)]
        back = reachable(start, self.predecessors)
        return tuple(v for v in self.sources if v.id not in back and not self._is_feed_var(v))

    @cached_property
    def inputs(self) -> tuple[Value, ...]:
        """The inputs of the program that reach a layer."""
        labels = {value.id for value in self.labels}
        return tuple(v for v in self.sources if v.id not in labels and self.shape(v) is not None)

    @cached_property
    def outputs(self) -> dict[int, int]:
        """Ids of the values that the program returns -> their place among all that it returns."""
        fetches = [op for op in self.ops if kind_of(op.type) == "output"]
        if fetches:
            fetches.sort(key=lambda op: op.get_int("col"))
            ids = [v.id for op in fetches for v in self.flow.reads(op)]
        else:
            last = {v.name: v.id for v in self.flow.values}
            ids = [last[name] for name in self.program.fetches if name in last]
        return {i: n for n, i in reversed(list(enumerate(ids)))}

    @cached_property
    def first_output(self) -> list[int]:
        """For each value, the place of the first output of the program that depends on it.

        A large number where none does.
        """
        order = [_NO_OUTPUT] * len(self.flow.values)
        for i, n in self.outputs.items():
            order[i] = n
        for op in reversed(self.ops):
            first = min((order[i] for i in self._writes[op.id]), default=_NO_OUTPUT)
            if reads_size_only(op.type) or first == _NO_OUTPUT:
                continue
            for i in self._reads[op.id]:
                order[i] = min(order[i], first)
        return order

    def _is_feed_var(self, value: Value) -> bool:
        var = self.program.var(value.name)
        return var is not None and var.kind in ("feed", "reader")

    def predecessors(self, value: int) -> Iterator[int]:
        """Ids of the values that a value was computed from."""
        producer = self.producer(self.flow.values[value])
        if producer is not None and not reads_size_only(producer.type):
            yield from (v.id for v in self.reads(producer))

    @cached_property
    def after_first_layer(self) -> list[bool]:
        """For each value, whether it lies behind a layer with weights."""
        start = {v.id for op in self.layers for v in self.flow.writes(op)}
        return self._spread(start)

    @cached_property
    def depends_on_label(self) -> list[bool]:
        """For each value, whether it depends on a label."""
        return self._spread({v.id for v in self.labels})

    @cached_property
    def upsampled(self) -> list[bool]:
        """For each value, whether an upsampling lies before it."""
        return self.reachable_from(op for op in self.ops if is_upsampler(op.type))

    def reachable_from(self, ops: Iterable[Op]) -> list[bool]:
        """For each value, whether any of some ops lies before it."""
        return self._spread({v.id for op in ops for v in self.flow.writes(op)})

    def _spread(self, start: set[int]) -> list[bool]:
        """Mark `start` and everything computed from its content."""
        marks = [False] * len(self.flow.values)
        for i in start:
            marks[i] = True
        if not start:
            return marks
        for op in self.ops:
            if not reads_size_only(op.type) and any(marks[i] for i in self._reads[op.id]):
                for i in self._writes[op.id]:
                    marks[i] = True
        return marks

    @cached_property
    def depth(self) -> list[int]:
        """For each value, the most layers between it and an input."""
        depths = [0] * len(self.flow.values)
        for op in self.ops:
            here = max((depths[i] for i in self._reads[op.id]), default=0) + 1
            for i in self._writes[op.id]:
                depths[i] = here
        return depths

    @cached_property
    def spatial(self) -> list[SpatialInfo | None]:
        """For each value, where H and W are and how much smaller than the image they are."""
        places: list[SpatialInfo | None] = [None] * len(self.flow.values)
        for value in self.sources:
            places[value.id] = self._place_of_source(value)
        propagate_spatial(self.flow, self.ops, places)
        return places

    def _place_of_source(self, value: Value) -> SpatialInfo | None:
        return image_spatial(self.shape(value), self.consumers(value))

    def stride(self, value: Value) -> Stride | None:
        """Height of the image / height of a value, and the same of the widths, where known."""
        place = self.spatial[value.id]
        return None if place is None else place.strides
