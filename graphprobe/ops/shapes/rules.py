"""Sizes behind ops that compute with whole tensors: products, reductions, embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from graphprobe.ir import Op
from graphprobe.ops.shapes.spec import (
    Made,
    ShapeContext,
    ShapeRule,
    Sizes,
    Tensor,
    axis_at,
)


def like(*slots: str, out: str = "") -> ShapeRule:
    """The output has the shape of the first of these inputs."""

    def rule(context: ShapeContext) -> Iterator[Made]:
        made = Tensor(context.get(*slots).shape)
        if out:
            yield Made(out, made)
        else:
            yield from context.out(made)

    return rule


def broadcast(a: Sizes | None, b: Sizes | None, axis: int = -1) -> Sizes | None:
    """The shape of two operands together: the smaller begins at `axis` of the larger."""
    if a is None or b is None:
        return None
    if len(a) < len(b):
        a, b = b, a
    missing = len(a) - len(b)
    before = missing if axis < 0 else min(axis, missing)
    padded = (1,) * before + b + (1,) * (missing - before)
    return tuple(_wider(x, y) for x, y in zip(a, padded, strict=True))


def _wider(x: int, y: int) -> int:
    if -1 in (x, y):
        known = max(x, y)
        return known if known > 1 else -1
    return y if x == 1 else x


def merged(shapes: Sequence[Sizes | None]) -> Sizes | None:
    """Shapes that are equal, each size from whichever knows it."""
    known = [shape for shape in shapes if shape is not None]
    if not known or len({len(shape) for shape in known}) > 1:
        return known[0] if known else None
    return tuple(max(sizes) for sizes in zip(*known, strict=True))


def summed(context: ShapeContext) -> Iterator[Made]:
    """Operands of one shape."""
    yield from context.out(Tensor(merged([t.shape for t in context.every("X")])))


def reduced_sizes(context: ShapeContext) -> Iterator[Made]:
    """Attribute ``dim`` or ``axis`` goes; all axes where none is named."""
    x = context.get("X")
    if x.shape is None:
        return
    rank, attrs = len(x.shape), context.op.attrs
    given = context.op.get_ints("dim") or context.op.get_ints("axis")
    axes = {axis_at(a, rank) for a in given}
    if attrs.get("reduce_all") or attrs.get("asvector") or not axes or None in axes:
        axes = set(range(rank))
    keep = any(attrs.get(name) for name in ("keep_dim", "keepdim", "keepdims"))
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    yield from context.out(_folded(context, x, kept))


_FOLDS: dict[str, Callable[[list[float]], float]] = {
    "prod": lambda numbers: _product(numbers),
    "sum": sum,
    "max": max,
    "min": min,
}


def _product(numbers: list[float]) -> float:
    total: float = 1
    for number in numbers:
        total *= number
    return total


def _folded(context: ShapeContext, x: Tensor, shape: Sizes) -> Tensor:
    """The one number that a few known ones are reduced to."""
    fold = _FOLDS.get(context.op.type.rpartition("_")[2])
    known = [n for n in x.data or () if n is not None]
    single = all(n == 1 for n in shape)
    if fold is None or not known or len(known) != len(x.data or ()) or not single:
        return Tensor(shape)
    return Tensor(shape, (fold(known),))


def one_number(context: ShapeContext) -> Iterator[Made]:
    """One number is made of everything."""
    yield from context.out(Tensor(()))


def picked_axis(context: ShapeContext) -> Iterator[Made]:
    """arg_max: the axis goes, or becomes 1."""
    x = context.get("X").shape
    axis = None if x is None else axis_at(context.number("axis", -1, "Axis"), len(x))
    if x is None or axis is None or context.op.attrs.get("flatten"):
        return
    keep = bool(context.op.attrs.get("keepdims"))
    yield from context.out(Tensor(x[:axis] + ((1,) if keep else ()) + x[axis + 1 :]))


def best_of_axis(context: ShapeContext) -> Iterator[Made]:
    """top_k: so many along the axis."""
    x = context.get("X").shape
    axis = None if x is None else axis_at(context.op.get_int("axis", -1), len(x))
    k = context.number("k", 1, "K")
    if x is None or axis is None:
        return
    made = Tensor((*x[:axis], -1 if k is None else k, *x[axis + 1 :]))
    yield Made("Out", made)
    yield Made("Indices", made)


def matrix_product(context: ShapeContext) -> Iterator[Made]:
    """matmul in both generations, and bmm."""
    x, y = context.get("X").shape, context.get("Y").shape
    if x is None or y is None or not x or not y:
        return
    attrs = context.op.attrs
    if (attrs.get("trans_x") or attrs.get("transpose_X")) and len(x) > 1:
        x = (*x[:-2], x[-1], x[-2])
    if (attrs.get("trans_y") or attrs.get("transpose_Y")) and len(y) > 1:
        y = (*y[:-2], y[-1], y[-2])
    rows = x[-2:-1]
    columns = y[-1:] if len(y) > 1 else ()
    batch = broadcast(x[:-2], y[:-2])
    yield from context.out(Tensor(None if batch is None else (*batch, *rows, *columns)))


def vector_product(context: ShapeContext) -> Iterator[Made]:
    """mv: a matrix times a vector."""
    x = context.get("X").shape
    if x is not None and len(x) > 1:
        yield from context.out(Tensor(x[:-1]))


def dot_product(context: ShapeContext) -> Iterator[Made]:
    """dot: the last axis becomes 1."""
    x = context.get("X").shape
    if x:
        yield from context.out(Tensor((*x[:-1], 1)))


def letter_sizes(op: Op, shapes: Sequence[Sizes | None]) -> tuple[str, dict[str, int]] | None:
    """einsum: the letters of the output, and the size of each; None where it is not so written."""
    left, arrow, right = op.get_str("equation").replace(" ", "").partition("->")
    parts = left.split(",")
    if not arrow or "." in left or len(parts) != len(shapes):
        return None
    sizes: dict[str, int] = {}
    for part, shape in zip(parts, shapes, strict=True):
        if shape is None or len(shape) != len(part):
            return None
        for letter, size in zip(part, shape, strict=True):
            sizes[letter] = max(sizes.get(letter, -1), size)
    return right, sizes


def summed_letters(context: ShapeContext) -> Iterator[Made]:
    """einsum: the sizes of the letters behind the arrow."""
    found = letter_sizes(context.op, [t.shape for t in context.every("Operands")])
    if found is not None:
        right, sizes = found
        yield from context.out(Tensor(tuple(sizes.get(letter, -1) for letter in right)))


def flattened_product(x_slot: str, y_slot: str, columns: str) -> ShapeRule:
    """mul, fc: axes from `columns` on are one; those of the weight are [in, out]."""

    def rule(context: ShapeContext) -> Iterator[Made]:
        x, y = context.get(x_slot).shape, context.get(y_slot).shape
        if x is None or y is None or len(y) < 2:
            return
        made = y[context.op.get_int("y_num_col_dims", 1) :]
        yield from context.out(Tensor((*x[: context.op.get_int(columns, 1)], *made)))

    return rule


def recurrent_sizes(context: ShapeContext) -> Iterator[Made]:
    """rnn: [steps, batch, features] -> [steps, batch, hidden * directions]."""
    x = context.get("Input").shape
    hidden = context.op.get_int("hidden_size", -1)
    if x is not None and len(x) == 3 and hidden > 0:
        made = hidden * (2 if context.op.attrs.get("is_bidirec") else 1)
        yield Made("Out", Tensor((*x[:2], made)))


def embedded(context: ShapeContext) -> Iterator[Made]:
    """A row of the table for each number; the first generation has a last axis of 1."""
    ids, table = context.get("Ids").shape, context.get("W").shape
    if ids is None or table is None or len(table) != 2:
        return
    if context.op.type == "lookup_table" and ids and ids[-1] == 1:
        ids = ids[:-1]
    yield from context.out(Tensor((*ids, table[1])))


def interleaved_sizes(context: ShapeContext) -> Iterator[Made]:
    """repeat_interleave: an axis, each entry so many times."""
    x, times = context.get("X").shape, context.op.get_int("Repeats")
    axis = axis_at(context.op.get_int("dim"), len(x or ()))
    if x is not None and axis is not None and times > 0 and not context.op.input("RepeatsTensor"):
        size = x[axis] * times if x[axis] >= 0 else -1
        yield from context.out(Tensor((*x[:axis], size, *x[axis + 1 :])))
