"""Sizes behind ops that compute: what the families name as their facet ``shapes``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from graphprobe.ir import Op
from graphprobe.ops.shape_spec import (
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


def channels_last(op: Op, *attrs: str) -> bool:
    """Whether an attribute says that the channels stand last (``NHWC``, ``NLC``)."""
    texts = [op.get_str(attr) for attr in attrs]
    return any(len(text) > 2 and text.startswith("N") and text.endswith("C") for text in texts)


def spatial_sizes(shape: Sizes, last: bool) -> Sizes:
    """The sizes without batch and channels."""
    return shape[1:-1] if last else shape[2:]


def with_spatial(shape: Sizes, spatial: Sequence[int], channels: int, last: bool) -> Sizes:
    """Batch, channels and new spatial sizes in their order."""
    return (shape[0], *spatial, channels) if last else (shape[0], channels, *spatial)


def _per_axis(values: Sequence[int], count: int, default: int) -> list[int]:
    if not values:
        return [default] * count
    return list(values[:count]) if len(values) >= count else [values[0]] * count


def _paddings(
    context: ShapeContext, sizes: Sizes, kernel: Sequence[int], strides: Sequence[int]
) -> list[tuple[int, int]]:
    """Before and after each axis: as given, none (VALID), or as much as a stride needs (SAME)."""
    how, count = context.op.get_str("padding_algorithm", "EXPLICIT"), len(sizes)
    if how == "VALID":
        return [(0, 0)] * count
    if how == "SAME":
        gaps = zip(sizes, kernel, strides, strict=False)
        needed = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in gaps]
        return [(n // 2, n - n // 2) for n in needed]
    given = context.op.get_ints("paddings")
    if len(given) == 2 * count:
        return [(given[2 * i], given[2 * i + 1]) for i in range(count)]
    return [(p, p) for p in _per_axis(given, count, 0)]


def convolved(context: ShapeContext) -> Iterator[Made]:
    """Filter [out, in/groups, ...]."""
    x, w = context.get("Input").shape, context.get("Filter").shape
    if x is None or w is None or len(x) != len(w) or len(x) < 3:
        return
    last, count = channels_last(context.op, "data_format"), len(x) - 2
    kernel, sizes = w[2:], spatial_sizes(x, last)
    strides = _per_axis(context.op.get_ints("strides"), count, 1)
    dilations = _per_axis(context.op.get_ints("dilations"), count, 1)
    if context.op.get_str("padding_algorithm") == "SAME":
        dilations = [1] * count
    pads = _paddings(context, sizes, kernel, strides)
    found = [
        _window(n, (k - 1) * d + 1, s, sum(p), up=False)
        for n, k, d, s, p in zip(sizes, kernel, dilations, strides, pads, strict=True)
    ]
    yield Made("Output", Tensor(with_spatial(x, found, w[0], last)))


def _window(size: int, kernel: int, stride: int, padding: int, *, up: bool) -> int:
    """How many windows fit; rounded up where asked."""
    if size < 0 or kernel < 0 or stride < 1:
        return -1
    room = size + padding - kernel + (stride - 1 if up else 0)
    return room // stride + 1


def convolved_back(context: ShapeContext) -> Iterator[Made]:
    """Transposed: filter [in, out/groups, ...]."""
    x, w = context.get("Input").shape, context.get("Filter").shape
    if x is None or w is None or len(x) != len(w) or len(x) < 3:
        return
    last, count = channels_last(context.op, "data_format"), len(x) - 2
    kernel, sizes = w[2:], spatial_sizes(x, last)
    strides = _per_axis(context.op.get_ints("strides"), count, 1)
    dilations = _per_axis(context.op.get_ints("dilations"), count, 1)
    extra = _per_axis(context.op.get_ints("output_padding"), count, 0)
    pads = _paddings(context, sizes, kernel, strides)
    found = [
        -1 if n < 0 else (n - 1) * s - sum(p) + (k - 1) * d + 1 + e
        for n, k, d, s, p, e in zip(sizes, kernel, dilations, strides, pads, extra, strict=True)
    ]
    asked = context.numbers("output_size", ["OutputSize"], ["OutputSizeTensor"]) or ()
    if len(asked) == count:
        found = [n if n is not None and n > 0 else f for n, f in zip(asked, found, strict=True)]
    made = w[1] * max(1, context.op.get_int("groups", 1)) if w[1] > 0 else -1
    yield Made("Output", Tensor(with_spatial(x, found, made, last)))


def pooled_sizes(context: ShapeContext) -> Iterator[Made]:
    """Windows of attribute ``ksize``; global and adaptive pooling have sizes of their own."""
    x = context.get("X").shape
    if x is None or len(x) < 3:
        return
    last, count = channels_last(context.op, "data_format"), len(x) - 2
    sizes = spatial_sizes(x, last)
    kernel = context.numbers("ksize", ["KernelSize"]) or ()
    if context.op.attrs.get("global_pooling"):
        found: list[int] = [1] * count
    elif context.op.attrs.get("adaptive"):
        wanted = [-1 if k is None else k for k in kernel] or [-1]
        found = _per_axis(wanted, count, -1)
    else:
        windows = _per_axis([-1 if k is None else k for k in kernel], count, -1)
        strides = _per_axis(context.op.get_ints("strides"), count, 1)
        pads, up = (
            _paddings(context, sizes, windows, strides),
            bool(context.op.attrs.get("ceil_mode")),
        )
        found = [
            _window(n, k, s, sum(p), up=up)
            for n, k, s, p in zip(sizes, windows, strides, pads, strict=True)
        ]
    made = Tensor(with_spatial(x, found, x[-1] if last else x[1], last))
    yield Made("Out", made)
    if context.op.outputs.get("Mask"):
        yield Made("Mask", made)


def resized_sizes(context: ShapeContext) -> Iterator[Made]:
    """To a list of sizes, a tensor of sizes, by factors, or to fixed sizes: the first given."""
    x = context.get("X").shape
    if x is None or len(x) < 3:
        return
    last, count = channels_last(context.op, "data_layout"), len(x) - 2
    sizes = spatial_sizes(x, last)
    asked: Sequence[int | None] | None = context.numbers("", ["OutSize"], ["SizeTensor"])
    if asked is not None and len(asked) != count:
        asked = _resized(context, sizes)
    found = [-1] * count if asked is None else [-1 if n is None else n for n in asked]
    channels = x[-1] if last else x[1]
    yield Made("Out", Tensor(with_spatial(x, found, channels, last)))


def _resized(context: ShapeContext, sizes: Sizes) -> list[int | None]:
    factors: Sequence[float | int | None] = ()
    if context.every("Scale"):
        factors = context.get("Scale").entries() or (None,)
    else:
        given = context.op.attrs.get("scale")
        listed = given if isinstance(given, tuple) else (given,)
        factors = [f for f in listed if isinstance(f, int | float) and f > 0]
    if factors:
        each = list(factors) if len(factors) == len(sizes) else [factors[0]] * len(sizes)
        return [
            None if f is None or n < 0 else int(n * f) for n, f in zip(sizes, each, strict=True)
        ]
    names = ("out_d", "out_h", "out_w")[-len(sizes) :]
    fixed = [context.op.get_int(name, -1) for name in names]
    return [n if n > 0 else None for n in fixed]


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


def cut_out_regions(context: ShapeContext) -> Iterator[Made]:
    """roi_align, roi_pool: a small map for each region."""
    x, rois = context.get("X").shape, context.get("ROIs").shape
    h, w = context.op.get_int("pooled_height", -1), context.op.get_int("pooled_width", -1)
    if x is not None and len(x) == 4:
        yield from context.out(Tensor((rois[0] if rois else -1, x[1], h, w)))


def sampled(context: ShapeContext) -> Iterator[Made]:
    """grid_sampler: the map has the places of the grid [N, H, W, 2]."""
    x, grid = context.get("X").shape, context.get("Grid").shape
    if x is not None and grid is not None and len(x) == len(grid) == 4:
        yield from context.out(Tensor((x[0], x[1], *grid[1:3])))


def windows_in_a_row(context: ShapeContext) -> Iterator[Made]:
    """unfold: [N, C, H, W] -> [N, C * kernel, windows]."""
    x = context.get("X").shape
    kernel = context.op.get_ints("kernel_sizes")
    if x is None or len(x) != 4 or len(kernel) != 2:
        return
    strides = _per_axis(context.op.get_ints("strides"), 2, 1)
    dilations = _per_axis(context.op.get_ints("dilations"), 2, 1)
    given = context.op.get_ints("paddings") or (0,)
    pads = [given[0] + given[2], given[1] + given[3]] if len(given) == 4 else [
        2 * p for p in _per_axis(given, 2, 0)
    ]  # fmt: skip
    found = [
        _window(n, (k - 1) * d + 1, s, p, up=False)
        for n, k, d, s, p in zip(x[2:], kernel, dilations, strides, pads, strict=True)
    ]
    windows = -1 if min(found) < 0 else found[0] * found[1]
    channels = x[1] * kernel[0] * kernel[1] if x[1] > 0 else -1
    yield from context.out(Tensor((x[0], channels, windows)))


def rearranged(attr: str, *, up: bool) -> ShapeRule:
    """Channels become places (`up`) or places channels, by the square of an attribute."""

    def rule(context: ShapeContext) -> Iterator[Made]:
        x, factor = context.get("X").shape, max(1, context.op.get_int(attr, 1))
        if x is None or len(x) != 4:
            return
        last = channels_last(context.op, "data_format")
        sizes, channels = spatial_sizes(x, last), x[-1] if last else x[1]
        if up:
            found = [n * factor if n > 0 else -1 for n in sizes]
            channels = channels // factor**2 if channels > 0 else -1
        else:
            found = [n // factor if n > 0 else -1 for n in sizes]
            channels = channels * factor**2 if channels > 0 else -1
        yield from context.out(Tensor(with_spatial(x, found, channels, last)))

    return rule


def padded(context: ShapeContext) -> Iterator[Made]:
    """pad: before and after each axis; pad2d: top, bottom, left, right; pad3d: the last first."""
    x = context.get("X").shape
    given = context.numbers("paddings", ["Paddings"])
    if x is None:
        return
    if given is None or any(p is None for p in given):
        yield from context.out(Tensor((-1,) * len(x)))
        return
    pairs = [(given[i] or 0) + (given[i + 1] or 0) for i in range(0, len(given) - 1, 2)]
    added = [0] * len(x)
    if len(pairs) == len(x):
        added = pairs
    else:
        last = channels_last(context.op, "data_format")
        if context.op.type.startswith("pad3d"):
            pairs = pairs[::-1]
        axes = range(1, len(x) - 1) if last else range(2, len(x))
        for axis, pair in zip(axes, pairs[-len(axes) :], strict=False):
            added[axis] = pair
    yield from context.out(
        Tensor(tuple(n + p if n >= 0 else -1 for n, p in zip(x, added, strict=True)))
    )
