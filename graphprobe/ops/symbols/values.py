"""Sizes and shape tensors, followed through a program: what a target shape is when it is computed.

Each axis of each value has a `Size`: the number that is declared, or a symbol that stands for the
same size wherever it goes (the batch, H and W of an open input). Each entry of a small integer
tensor that describes a shape has a `ShapeEntry`: a constant and where it is written, an axis of a
value that was measured by ``shape``, or a size of unknown origin. Linear in the slots of the ops.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.ir import Dataflow, Op, Value
from graphprobe.ops.symbols.entries import entry_rule
from graphprobe.ops.symbols.rules import size_rule
from graphprobe.ops.symbols.sizes import (
    ConstantSource,
    Entries,
    ShapeEntry,
    Size,
    SizeNumbers,
    Sizes,
)

# Where an op is given the shape that it makes: one tensor, or one for each axis.
_TARGET_SLOTS = ("Shape", "ShapeTensor", "expand_shapes_tensor")


class ShapeValues:
    """The sizes of every value, and the entries of shape tensors, as far as they are followed."""

    def __init__(self, flow: Dataflow) -> None:
        self.flow = flow
        self._sizes: list[Sizes | None] = [None] * len(flow.values)
        self._entries: list[Entries | None] = [None] * len(flow.values)
        self._numbers = SizeNumbers()
        self._numbers_of: list[tuple[int, ...] | None] = [None] * len(flow.values)
        for value in flow.values:
            if value.producer is None:
                self._sizes[value.id] = self._declared(value, None)

    def numbers(self, value: Value) -> tuple[int, ...] | None:
        """The sizes of a value as integers; below 0 where open, equal where they are equal."""
        found = self._numbers_of[value.id]
        if found is None:
            found = self._numbers_of[value.id] = self._numbers.numbers(self._sizes[value.id])
        return found

    def number(self, size: Size) -> int:
        """The integer that stands for one size."""
        return self._numbers.number(size)

    def sizes(self, value: Value) -> Sizes | None:
        """The sizes of a value, or None where its rank is not known."""
        return self._sizes[value.id]

    def visit(self, op: Op) -> None:
        """Follow one op; ops are visited in the order of execution."""
        entries_of, sizes_of = entry_rule(op), size_rule(op)
        entries = entries_of(self, op) if entries_of is not None else None
        made = sizes_of(self, op) if sizes_of is not None else None
        for value in self.flow.writes(op):
            if value.slot in ("Out", "Y", "Output") and value.index == 0:
                self._entries[value.id] = entries
            self._sizes[value.id] = self._declared(value, made(value) if made else None)
            self._numbers_of[value.id] = None

    def entries(self, op: Op, slot: str = "X") -> Entries | None:
        """The entries that an op reads in a slot."""
        value = self.flow.read(op, slot)
        return None if value is None else self._entries[value.id]

    def entries_of(self, value: int) -> Entries | None:
        """The entries of a value, by its id."""
        return self._entries[value]

    def makes_shape(self, op: Op) -> bool:
        """Whether an op makes a shape tensor whose entries are followed."""
        return any(self._entries[value.id] is not None for value in self.flow.writes(op))

    def target(self, op: Op) -> Entries:
        """The shape that an op is given: by a tensor, by one tensor an axis, or by attribute."""
        for slot in _TARGET_SLOTS:
            ids = self.flow.inputs[op.id].get(slot, ())
            if len(ids) == 1 and slot == "Shape":
                return self._entries[ids[0]] or ()
            if ids:
                parts = [self._entries[i] for i in ids]
                return tuple(
                    part[0] if part else ShapeEntry(Size(1, (f"v{i}",)))
                    for i, part in zip(ids, parts, strict=True)
                )
        return tuple(
            ShapeEntry(Size(n), ConstantSource(op.id, "shape", i))
            for i, n in enumerate(op.get_ints("shape"))
        )

    def of(self, op: Op, slot: str) -> Sizes | None:
        """The sizes of what an op reads in a slot."""
        value = self.flow.read(op, slot)
        return None if value is None else self._sizes[value.id]

    def _declared(self, value: Value, made: Sizes | None) -> Sizes | None:
        """What the rule gives where that is known, then what is declared, then a new symbol."""
        shape = self.flow.program.shape(value.name, value.block)
        if shape is None or (made is not None and len(made) != len(shape)):
            return made if shape is None else self.declared(value, shape)
        if made is None:
            return self.declared(value, shape)
        return tuple(
            Size(n) if n >= 0 and not size.known else size
            for n, size in zip(shape, made, strict=True)
        )

    def declared(self, value: Value, shape: Sequence[int]) -> Sizes:
        """A declared shape, each open size as a symbol of its own."""
        return tuple(
            Size(n) if n >= 0 else Size(1, (f"{value.id}.{i}",)) for i, n in enumerate(shape)
        )
