"""Sizes, and contents where they are few, behind ops that move numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphprobe.ops.shapes.rules import merged
from graphprobe.ops.shapes.spec import (
    MAX_DATA,
    Made,
    Number,
    ShapeContext,
    ShapeRule,
    Tensor,
    axis_at,
    known_product,
    tensor,
)


def reshaped_sizes(context: ShapeContext) -> Iterator[Made]:
    """0 copies a size, and one that is -1 or unknown is what is left."""
    x = context.get("X")
    wanted = context.numbers("shape", ["Shape"], ["ShapeTensor"])
    if wanted is None:
        return
    if not wanted and not context.every("Shape"):
        yield from context.out(tensor((), x.data))
        return
    before = x.shape or ()
    sizes = [
        before[i] if n == 0 and i < len(before) else -1 if n is None else n
        for i, n in enumerate(wanted)
    ]
    if sizes.count(-1) == 1 and x.numel > 0:
        known = known_product([n for n in sizes if n != -1])
        if known > 0 and x.numel % known == 0:
            sizes[sizes.index(-1)] = x.numel // known
    yield from context.out(tensor(tuple(sizes), x.data))


def squeezed_sizes(context: ShapeContext) -> Iterator[Made]:
    """Axes of size 1 go: those that are named, or all."""
    x = context.get("X")
    if x.shape is None:
        return
    rank, given = len(x.shape), context.op.get_ints("axes")
    named = {axis_at(a, rank) for a in given} if given else set(range(rank))
    kept = tuple(
        n for i, n in enumerate(x.shape) if not (i in named and (n == 1 or (given and n < 0)))
    )
    yield from context.out(tensor(kept, x.data))


def unsqueezed_sizes(context: ShapeContext) -> Iterator[Made]:
    """Axes of size 1 are put in, one after the other."""
    x = context.get("X")
    axes = context.numbers("axes", ["AxesTensor"], ["AxesTensorList"])
    if x.shape is None or axes is None or None in axes:
        return
    shape = list(x.shape)
    for axis in axes:
        at = axis or 0
        shape.insert(at if at >= 0 else at + len(shape) + 1, 1)
    yield from context.out(tensor(tuple(shape), x.data))


def flattened_sizes(context: ShapeContext) -> Iterator[Made]:
    """To two axes, at attribute ``axis``."""
    x, axis = context.get("X"), context.op.get_int("axis", 1)
    if x.shape is not None:
        yield from context.out(
            tensor((known_product(x.shape[:axis]), known_product(x.shape[axis:])), x.data)
        )


def flattened_range(context: ShapeContext) -> Iterator[Made]:
    """Axes ``start_axis`` to ``stop_axis`` become one."""
    x = context.get("X")
    rank = len(x.shape or ())
    start = axis_at(context.op.get_int("start_axis", 1), rank)
    stop = axis_at(context.op.get_int("stop_axis", -1), rank)
    if x.shape is not None and start is not None and stop is not None:
        one = known_product(x.shape[start : stop + 1])
        yield from context.out(tensor((*x.shape[:start], one, *x.shape[stop + 1 :]), x.data))


def transposed_sizes(context: ShapeContext) -> Iterator[Made]:
    """The axes in another order."""
    shape = context.get("X").shape
    order = context.op.get_ints("axis") or context.op.get_ints("perm")
    if shape is None:
        return
    axes = [axis_at(a, len(shape)) for a in order] or list(range(len(shape)))[::-1]
    if len(axes) == len(shape) and None not in axes:
        yield from context.out(Tensor(tuple(shape[a] for a in axes if a is not None)))


def sliced_sizes(context: ShapeContext) -> Iterator[Made]:
    """slice and strided_slice."""
    x = context.get("Input", "X")
    if x.shape is None:
        return
    starts = context.numbers("starts", ["StartsTensor"], ["StartsTensorList"])
    ends = context.numbers("ends", ["EndsTensor"], ["EndsTensorList"])
    steps = context.numbers("strides", ["StridesTensor"], ["StridesTensorList"]) or ()
    shape, data = list(x.shape), x.data if len(x.shape) == 1 else None
    for i, given in enumerate(context.op.get_ints("axes")):
        axis = axis_at(given, len(shape))
        if axis is None:
            return
        part = _part(starts, ends, steps, i)
        if part is None or shape[axis] < 0:
            shape[axis] = -1
            data = None
            continue
        data = None if data is None else data[part]
        shape[axis] = len(range(shape[axis])[part])
    gone = {axis_at(a, len(shape)) for a in context.op.get_ints("decrease_axis")}
    kept = tuple(n for i, n in enumerate(shape) if i not in gone)
    yield from context.out(tensor(kept, data))


def _part(
    starts: Sequence[int | None] | None,
    ends: Sequence[int | None] | None,
    steps: Sequence[int | None],
    at: int,
) -> slice | None:
    if starts is None or ends is None or at >= len(starts) or at >= len(ends):
        return None
    start, end, step = starts[at], ends[at], steps[at] if at < len(steps) else 1
    if start is None or end is None or not step:
        return None
    return slice(start, None if step < 0 and end < -MAX_DATA else end, step)


def split_sizes(context: ShapeContext) -> Iterator[Made]:
    """Into sections, or into equal parts."""
    x, outputs = context.get("X"), len(context.op.outputs.get("Out", ()))
    axis = axis_at(context.number("axis", 0, "AxisTensor"), len(x.shape or ()))
    if x.shape is None or axis is None or not outputs:
        return
    asked = context.numbers("sections", (), ["SectionsTensorList"])
    size = x.shape[axis]
    sections = [-1 if n is None else n for n in asked or ()]
    if not sections or context.op.get_int("num"):
        sections = [size // outputs if size >= 0 else -1] * outputs
    elif sections.count(-1) == 1 and size >= 0:
        sections[sections.index(-1)] = size - sum(n for n in sections if n > 0)
    at, data = 0, x.data if len(x.shape) == 1 else None
    for i, n in enumerate(sections[:outputs]):
        part = None if data is None or n < 0 else data[at : at + n]
        yield Made("Out", tensor((*x.shape[:axis], n, *x.shape[axis + 1 :]), part), i)
        at += max(n, 0)


def concat_sizes(context: ShapeContext) -> Iterator[Made]:
    """One after the other along an axis."""
    parts = context.every("X")
    ranks = {len(t.shape) for t in parts if t.shape is not None}
    rank = ranks.pop() if len(ranks) == 1 else -1
    axis = axis_at(context.number("axis", 0, "AxisTensor"), rank) if rank > 0 else None
    if axis is None or any(t.shape is None for t in parts):
        return
    shapes = [t.shape for t in parts if t.shape is not None]
    others = merged([(*s[:axis], 0, *s[axis + 1 :]) for s in shapes])
    sizes = [s[axis] for s in shapes]
    whole = -1 if -1 in sizes else sum(sizes)
    data: list[Number | None] | None = [] if rank == 1 else None
    for part in parts:
        entries = part.entries() if data is not None else None
        data = None if data is None or entries is None else [*data, *entries]
    if others is not None:
        yield from context.out(tensor((*others[:axis], whole, *others[axis + 1 :]), data))


def stacked_sizes(context: ShapeContext) -> Iterator[Made]:
    """Along a new axis."""
    parts = context.every("X")
    shape = merged([t.shape for t in parts])
    axis = None if shape is None else axis_at(context.op.get_int("axis"), len(shape) + 1)
    if shape is None or axis is None:
        return
    data: list[Number | None] | None = [] if axis == 0 else None
    for part in parts:
        entries = part.entries() if data is not None else None
        data = None if data is None or entries is None else [*data, *entries]
    yield from context.out(tensor((*shape[:axis], len(parts), *shape[axis:]), data))


def unstacked_sizes(context: ShapeContext) -> Iterator[Made]:
    """Each entry of an axis is an output."""
    x, slot = context.get("X"), "Y" if context.op.outputs.get("Y") else "Out"
    axis = axis_at(context.op.get_int("axis"), len(x.shape or ()))
    if x.shape is None or axis is None:
        return
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    for i in range(len(context.op.outputs.get(slot, ()))):
        data = x.data[i : i + 1] if x.data is not None and not shape else None
        yield Made(slot, tensor(shape, data), i)


def repeated_sizes(attr: str, whole: str, parts: str) -> ShapeRule:
    """expand and tile: a number of repeats for each axis, counted from the last."""

    def rule(context: ShapeContext) -> Iterator[Made]:
        x = context.get("X")
        times = context.numbers(attr, [whole], [parts])
        if x.shape is None or times is None:
            return
        rank = max(len(x.shape), len(times))
        sizes = (1,) * (rank - len(x.shape)) + x.shape
        every = (1,) * (rank - len(times)) + tuple(times)
        shape = tuple(
            -1 if n < 0 or t is None else n * t for n, t in zip(sizes, every, strict=True)
        )
        data = None
        if x.data is not None and len(x.data) == 1 and 0 <= known_product(shape) <= MAX_DATA:
            data = x.data * known_product(shape)
        yield from context.out(tensor(shape, data))

    return rule


def expanded_sizes(context: ShapeContext) -> Iterator[Made]:
    """expand_v2: the sizes wanted; -1 keeps one."""
    x = context.get("X")
    wanted = context.numbers("shape", ["Shape"], ["expand_shapes_tensor"])
    if x.shape is None or wanted is None:
        return
    yield from context.out(_expanded(x, [-2 if n is None else n for n in wanted]))


def _expanded(x: Tensor, wanted: Sequence[int]) -> Tensor:
    before = x.shape or ()
    rank = max(len(wanted), len(before))
    sizes = (1,) * (rank - len(before)) + before
    shape = tuple(
        n if w == -1 else -1 if w == -2 else w for n, w in zip(sizes, wanted, strict=False)
    )
    count = known_product(shape)
    single = x.data is not None and len(x.data) == 1 and 0 <= count <= MAX_DATA
    return tensor(shape, x.data * count if single and x.data is not None else None)


def expanded_as(context: ShapeContext) -> Iterator[Made]:
    """To the shape of another tensor, or of attribute ``target_shape``."""
    target = context.get("Y", "target_tensor").shape or context.op.get_ints("target_shape")
    if target:
        yield from context.out(_expanded(context.get("X"), target))


def gathered(context: ShapeContext) -> Iterator[Made]:
    """gather, index_select: the entries of an axis that are named."""
    x, index = context.get("X"), context.get("Index")
    attr = "dim" if context.op.type == "index_select" else "axis"
    axis = axis_at(context.number(attr, 0, "Axis"), len(x.shape or ()))
    if x.shape is None or index.shape is None or axis is None:
        return
    places = index.shape if len(index.shape) < 2 else index.shape[:1]
    shape = (*x.shape[:axis], *places, *x.shape[axis + 1 :])
    data = None
    if x.data is not None and index.data is not None and len(x.shape) == 1:
        numbers, size = x.data, len(x.data)
        data = [
            numbers[int(i)] if i is not None and -size <= i < size else None for i in index.data
        ]
    yield from context.out(tensor(shape, data))


def gathered_deep(context: ShapeContext) -> Iterator[Made]:
    """gather_nd: the last axis of Index names places."""
    x, index = context.get("X").shape, context.get("Index").shape
    if x is not None and index and index[-1] >= 0:
        yield from context.out(Tensor((*index[:-1], *x[index[-1] :])))


def one_hot_sizes(context: ShapeContext) -> Iterator[Made]:
    """A new last axis of the number of classes."""
    x, depth = context.get("X").shape, context.number("depth", -1, "depth_tensor")
    if x is None:
        return
    if context.op.type == "one_hot" and x and x[-1] == 1:
        x = x[:-1]
    yield from context.out(Tensor((*x, -1 if depth is None else depth)))


def cropped(context: ShapeContext) -> Iterator[Made]:
    """To the sizes of attribute or tensor ``shape``; -1 is all that is left."""
    x = context.get("X").shape
    wanted = context.numbers("shape", ["Shape"], ["ShapeTensor"])
    if x is None or not wanted:
        wanted = context.get("Y").shape
    if wanted:
        yield from context.out(Tensor(tuple(-1 if n is None else n for n in wanted)))
