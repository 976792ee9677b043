"""How often an op uses its weights: the rules that the table's facet ``work`` names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from graphprobe.ir import Dataflow, Op, Value
from graphprobe.ops.spatial import SpatialInfo


@dataclass(frozen=True, slots=True)
class Work:
    """One use of a weight.

    Args:
        op: the op.
        param: its weight.
        shape: the weight's shape.
        positions: how often each weight is multiplied, for one image.
    """

    op: int
    param: str
    shape: tuple[int, ...]
    positions: int


@dataclass(frozen=True, slots=True)
class WorkContext:
    """One op as the rules see it.

    Args:
        op: the op.
        flow: of its program.
        places: for each value, where H and W are.
    """

    op: Op
    flow: Dataflow
    places: list[SpatialInfo | None]

    def positions(self, value: Value) -> int:
        """H times W of a map: as declared, or the image's size over the stride."""
        shape = self.flow.program.shape(value.name, self.op.block) or ()
        last = self.op.get_str("data_format").endswith("HWC")
        sizes = shape[1:-1] if last else shape[2:]
        if sizes and all(s > 0 for s in sizes):
            return prod(sizes)
        place = self.places[value.id]
        if place is None or place.h is None or place.w is None:
            return 1
        h, w = place.image
        return max(1, round(h / place.down_h)) * max(1, round(w / place.down_w))


WorkRule: TypeAlias = Callable[[WorkContext], Iterator[Work]]


@dataclass(frozen=True, slots=True)
class NoWork:
    """An op without multiply-adds that count, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Uncounted:
    """An op whose multiply-adds are not counted though it has some, and why."""

    reason: str


ELEMENTS = NoWork("a few operations for each number, which the count leaves out")
MOVES = NoWork("it moves numbers")
SIZES = NoWork("it reads sizes or nothing")
SEARCHES = NoWork("it compares and picks, and multiplies no weights")


def filter_work(context: WorkContext) -> Iterator[Work]:
    """A convolution uses each weight of its filter once for each position of its output."""
    yield from _filter(context, context.flow.written(context.op, "Output"))


def transposed_filter_work(context: WorkContext) -> Iterator[Work]:
    """A transposed convolution uses each weight once for each position of its input."""
    yield from _filter(context, context.flow.read(context.op, "Input"))


def _filter(context: WorkContext, value: Value | None) -> Iterator[Work]:
    op, name = context.op, context.op.input("Filter") or ""
    shape = context.flow.program.shape(name, op.block)
    if shape is not None and value is not None:
        yield Work(op.id, name, shape, context.positions(value))


def dense_work(x_slot: str, w_slot: str, columns: str | None = None) -> WorkRule:
    """A fully connected layer uses each weight once for each row.

    Args:
        x_slot: of its input.
        w_slot: of its weight.
        columns: the attribute with the number of axes that count rows; None: all but the last.
    """

    def rule(context: WorkContext) -> Iterator[Work]:
        op, program = context.op, context.flow.program
        name = op.input(w_slot)
        var = program.var(name, op.block) if name is not None else None
        if var is None or not var.persistable or var.shape is None:
            return
        given = program.shape(op.input(x_slot), op.block) or ()
        rows = given[1 : op.get_int(columns, 1)] if columns else given[1:-1]
        yield Work(op.id, var.name, var.shape, prod(s for s in rows if s > 0))

    return rule
