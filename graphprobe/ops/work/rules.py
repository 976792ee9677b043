"""How often an op uses its weights: the rules that the table's facet ``work`` names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import NamedTuple, TypeAlias

from graphprobe.ir import Dataflow, Op, Value, Var
from graphprobe.ops.shapes.rules import letter_sizes
from graphprobe.ops.shapes.spec import UNKNOWN, Tensor, known_product
from graphprobe.ops.shapes.windows import channels_last, spatial_sizes


class Work(NamedTuple):
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


class Product(NamedTuple):
    """A product of two features, as in attention: no weight takes part.

    Args:
        op: the op.
        macs: its multiply-adds for one image.
    """

    op: int
    macs: int


class Gap(NamedTuple):
    """An op whose multiply-adds are not known.

    Args:
        op: the op.
        reason: why.
    """

    op: int
    reason: str


Counted: TypeAlias = Work | Product | Gap


class WorkContext(NamedTuple):
    """One op as the rules see it.

    Args:
        op: the op.
        flow: of its program.
        tensors: for each value, its sizes.
        weight: the parameter that a value is, or is a copy of under another shape or type.
    """

    op: Op
    flow: Dataflow
    tensors: list[Tensor]
    weight: Callable[[Value], Var | None]

    def read(self, slot: str) -> Tensor:
        """The first input of a slot."""
        value = self.flow.read(self.op, slot)
        return UNKNOWN if value is None else self.tensors[value.id]

    def written(self, slot: str) -> Tensor:
        """The first output of a slot."""
        value = self.flow.written(self.op, slot)
        return UNKNOWN if value is None else self.tensors[value.id]

    def param(self, slot: str) -> Var | None:
        """The parameter that stands in a slot, with a shape."""
        value = self.flow.read(self.op, slot)
        var = None if value is None else self.weight(value)
        return var if var is not None and var.shape else None

    def unknown(self) -> Gap:
        """The sizes are not known."""
        return Gap(self.op.id, "its sizes are not known")

    def uses(self, var: Var, total: int) -> Counted:
        """So many multiply-adds with a weight, the same number for each entry."""
        each = prod(var.shape or ())
        if total < 0 or each < 1:
            return self.unknown()
        return Work(self.op.id, var.name, var.shape or (), total // each)


WorkRule: TypeAlias = Callable[[WorkContext], Iterator[Counted]]


class NoWork(NamedTuple):
    """An op without multiply-adds that count, and why."""

    reason: str


class Uncounted(NamedTuple):
    """An op whose multiply-adds are not counted though it has some, and why."""

    reason: str


ELEMENTS = NoWork("a few operations for each number, which the count leaves out")
MOVES = NoWork("it moves numbers")
SIZES = NoWork("it reads sizes or nothing")
SEARCHES = NoWork("it compares and picks, and multiplies no weights")


def filter_work(context: WorkContext) -> Iterator[Counted]:
    """A convolution uses each weight of its filter once for each position of its output."""
    yield _filter(context, context.written("Output"))


def transposed_filter_work(context: WorkContext) -> Iterator[Counted]:
    """A transposed convolution uses each weight once for each position of its input."""
    yield _filter(context, context.read("Input"))


def _filter(context: WorkContext, around: Tensor) -> Counted:
    var = context.param("Filter")
    name = context.op.input("Filter") or ""
    shape = (var.shape if var is not None else context.read("Filter").shape) or ()
    if around.shape is None or known_product(shape) < 1:
        return context.unknown()
    sizes = spatial_sizes(around.shape, channels_last(context.op, "data_format"))
    positions = known_product((around.shape[0], *sizes))
    if positions < 0:
        return context.unknown()
    return Work(context.op.id, var.name if var is not None else name, shape, positions)


def dense_work(x_slot: str, w_slot: str) -> WorkRule:
    """A fully connected layer uses each weight once for each row of its input."""

    def rule(context: WorkContext) -> Iterator[Counted]:
        x, w = context.read(x_slot), context.read(w_slot)
        made = context.written("Out").numel
        total = made * w.shape[0] if made >= 0 and w.shape and w.shape[0] > 0 else -1
        yield from _product(context, w_slot, "", total, x.shape is not None)

    return rule


def matrix_work(context: WorkContext) -> Iterator[Counted]:
    """matmul: with a weight on either side a layer, without one a product of features."""
    x, made = context.read("X"), context.written("Out").numel
    turned = context.op.attrs.get("trans_x") or context.op.attrs.get("transpose_X")
    shape = x.shape or ()
    inner = shape[-2] if turned and len(shape) > 1 else shape[-1] if shape else -1
    total = made * inner if made >= 0 and inner > 0 else -1
    yield from _product(context, "Y", "X", total, bool(shape))


def _product(
    context: WorkContext, w_slot: str, other: str, total: int, known: bool
) -> Iterator[Counted]:
    for slot in (w_slot, other):
        var = context.param(slot) if slot else None
        if var is not None:
            yield context.uses(var, total)
            return
    yield Product(context.op.id, total) if total >= 0 and known else context.unknown()


def whole_product(slot: str) -> WorkRule:
    """mv, dot: each number of one operand is multiplied once."""

    def rule(context: WorkContext) -> Iterator[Counted]:
        count = context.read(slot).numel
        yield Product(context.op.id, count) if count >= 0 else context.unknown()

    return rule


def letters_work(context: WorkContext) -> Iterator[Counted]:
    """einsum: a multiply-add for each combination of all letters."""
    ids = context.flow.inputs[context.op.id].get("Operands", ())
    found = letter_sizes(context.op, [context.tensors[i].shape for i in ids])
    total = -1 if found is None else known_product(list(found[1].values()))
    for i in ids:
        var = context.weight(context.flow.values[i])
        if var is not None and var.shape:
            yield context.uses(var, total)
            return
    yield Product(context.op.id, total) if total >= 0 else context.unknown()


def recurrent_work(context: WorkContext) -> Iterator[Counted]:
    """rnn uses each weight once a step; other recurrent ops read sequences of open length."""
    x, values = context.read("Input").shape, context.flow.inputs[context.op.id]
    weights = [context.weight(context.flow.values[i]) for i in values.get("WeightList", ())]
    known = [var for var in weights if var is not None and len(var.shape or ()) > 1]
    steps = known_product(x[:2]) if x is not None and len(x) == 3 else -1
    if steps < 0 or not known:
        yield Gap(context.op.id, "the steps of a recurrent layer are not known")
    for var in known if steps >= 0 else ():
        yield Work(context.op.id, var.name, var.shape or (), steps)
