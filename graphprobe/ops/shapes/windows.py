"""Sizes behind ops that look at maps through windows: convolutions, pools, resizes, padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphprobe.ir import Op
from graphprobe.ops.shapes.spec import Made, ShapeContext, ShapeRule, Sizes, Tensor


def channels_last(op: Op, *attrs: str) -> bool:
    """Whether an attribute puts the channels last (``NHWC``, ``NLC``)."""
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


def windows_put_back(context: ShapeContext) -> Iterator[Made]:
    """fold: [N, C * kernel, windows] -> [N, C, H, W] of attribute ``output_sizes``."""
    x = context.get("X").shape
    kernel, sizes = (context.op.get_ints(name) for name in ("kernel_sizes", "output_sizes"))
    if x is not None and len(x) == 3 and len(kernel) == len(sizes) == 2 and min(kernel) > 0:
        channels = x[1] // (kernel[0] * kernel[1]) if x[1] > 0 else -1
        yield from context.out(Tensor((x[0], channels, *sizes)))


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
