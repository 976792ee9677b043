"""Contents of small tensors: those that programs measure, make and compute shapes with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, floor
from struct import pack, unpack

from graphprobe.ops.shapes.rules import broadcast
from graphprobe.ops.shapes.spec import (
    MAX_DATA,
    Made,
    Number,
    ShapeContext,
    ShapeRule,
    Sizes,
    Tensor,
    finite,
    known_product,
    tensor,
)

Binary = Callable[[Number, Number], Number]


def passed(*slots: str) -> ShapeRule:
    """The output is the first of these inputs, shape and contents."""

    def rule(context: ShapeContext) -> Iterator[Made]:
        yield from context.out(context.get(*slots))

    return rule


def cast_to(context: ShapeContext) -> Iterator[Made]:
    """The same, as numbers of another type: to whole ones towards 0 (Paddle's types 0 to 3)."""
    x, type_ = context.get("X"), context.op.attrs.get("out_dtype")
    whole = "int" in type_ if isinstance(type_, str) else type_ in (0, 1, 2, 3)
    floating = "float" in type_ if isinstance(type_, str) else type_ in (4, 5, 6, 22)
    if x.data is not None and (whole or floating):
        kind = int if whole else float
        x = Tensor(x.shape, tuple(_converted(kind, n) for n in x.data))
    yield from context.out(x)


def _converted(kind: type[Number], number: Number | None) -> Number | None:
    try:
        return None if number is None else kind(number)
    except OverflowError:  # an integer beyond all floats
        return None


def single(number: Number) -> Number:
    """A float as programs hold it, in four bytes: 18 times 0.33333334 is 6 there.

    Raises:
        OverflowError: it is too large for that.
    """
    if isinstance(number, int):
        return number
    found: float = unpack("<f", pack("<f", number))[0]  # the native "f" makes infinities
    return found


def elementwise(computes: Mapping[str, Binary], x_slot: str = "X", y_slot: str = "Y") -> ShapeRule:
    """Two operands, the smaller repeated; `computes` has for op types how contents come out."""

    def rule(context: ShapeContext) -> Iterator[Made]:
        x, y = context.get(x_slot), context.get(y_slot)
        shape = broadcast(x.shape, y.shape, context.op.get_int("axis", -1))
        compute = computes.get(context.op.type.removesuffix("_"))
        yield from context.out(tensor(shape, _pairwise(x, y, compute)))

    return rule


def _pairwise(x: Tensor, y: Tensor, compute: Binary | None) -> list[Number | None] | None:
    """Contents of operands of one size, or of which one is a single number."""
    if compute is None or x.data is None or y.data is None:
        return None
    a, b = x.data, y.data
    if len(a) == 1 or len(b) == 1:
        a, b = a * max(len(b), 1) if len(a) == 1 else a, b * max(len(a), 1) if len(b) == 1 else b
    if len(a) != len(b):
        return None
    return [_computed(compute, m, n) for m, n in zip(a, b, strict=True)]


def _computed(compute: Binary, m: Number | None, n: Number | None) -> Number | None:
    if m is None or n is None:
        return None
    try:
        return finite(single(compute(m, n)))
    except (ZeroDivisionError, OverflowError, ValueError):
        return None


def divided(m: Number, n: Number) -> Number:
    """Whole numbers are divided towards 0, others exactly."""
    return int(m / n) if isinstance(m, int) and isinstance(n, int) else m / n


ADD: Binary = operator.add
SUBTRACT: Binary = operator.sub
MULTIPLY: Binary = operator.mul
FLOOR_DIVIDE: Binary = operator.floordiv
REMAINDER: Binary = operator.mod


def larger(m: Number, n: Number) -> Number:
    """The larger of two."""
    return max(m, n)


def smaller(m: Number, n: Number) -> Number:
    """The smaller of two."""
    return min(m, n)


def scaled_numbers(context: ShapeContext) -> Iterator[Made]:
    """scale * x + bias, or scale * (x + bias)."""
    x, attrs = context.get("X"), context.op.attrs
    factor = (
        context.get("ScaleTensor").single()
        if context.every("ScaleTensor")
        else attrs.get("scale", 1.0)
    )
    bias, after = attrs.get("bias", 0.0), attrs.get("bias_after_scale", True)
    if not isinstance(factor, int | float) or not isinstance(bias, int | float):
        yield from context.out(Tensor(x.shape))
        return
    whole = all(isinstance(n, int) for n in x.data or () if n is not None)

    def number(n: Number | None) -> Number | None:
        made = _computed(lambda m, f: m * f + bias if after else (m + bias) * f, n, factor)
        return int(made) if whole and made is not None else made

    data = None if x.data is None else tuple(number(n) for n in x.data)
    yield from context.out(Tensor(x.shape, data))


def rounded(how: Callable[[float], int]) -> ShapeRule:
    """floor and ceil."""

    def rule(context: ShapeContext) -> Iterator[Made]:
        x = context.get("X")
        data = None if x.data is None else tuple(None if n is None else how(n) for n in x.data)
        yield from context.out(Tensor(x.shape, data))

    return rule


FLOOR, CEIL = rounded(floor), rounded(ceil)


def chosen_numbers(context: ShapeContext) -> Iterator[Made]:
    """where: X where Condition, else Y."""
    condition, x, y = context.get("Condition"), context.get("X"), context.get("Y")
    shape = broadcast(broadcast(condition.shape, x.shape), y.shape)
    picked = condition.single()
    found = None if picked is None else (x if picked else y).data
    yield from context.out(tensor(shape, found))


def shape_of(context: ShapeContext) -> Iterator[Made]:
    """The shape of the input as a tensor."""
    shape = context.get("Input", "X").shape
    if shape is not None:
        data = tuple(None if n < 0 else n for n in shape)
        yield from context.out(Tensor((len(shape),), data))


def count_of(context: ShapeContext) -> Iterator[Made]:
    """How many numbers the input holds."""
    count = context.get("Input", "X").numel
    yield from context.out(Tensor((), None if count < 0 else (count,)))


def constant(context: ShapeContext) -> Iterator[Made]:
    """fill_constant: one number everywhere."""
    asked = context.numbers("shape", ["ShapeTensor"], ["ShapeTensorList"])
    shape = _sizes(asked)
    value = context.get("ValueTensor").single() if context.every("ValueTensor") else _value(context)
    count = -1 if shape is None else known_product(shape)
    data = (value,) * count if value is not None and 0 <= count <= MAX_DATA else None
    yield from context.out(tensor(shape, data))


def _value(context: ShapeContext) -> Number | None:
    text, value = context.op.get_str("str_value"), context.op.attrs.get("value")
    whole = context.op.attrs.get("dtype") in (2, 3) or "int" in str(context.op.attrs.get("dtype"))
    try:
        found = float(text) if text else value
    except ValueError:
        return None
    number = finite(found)
    return int(number) if whole and number is not None else number


def _sizes(numbers: Sequence[int | None] | None) -> Sizes | None:
    if numbers is None:
        return None
    return tuple(-1 if n is None else n for n in numbers)


def given_values(context: ShapeContext) -> Iterator[Made]:
    """assign_value: the numbers stand in an attribute."""
    shape = context.op.get_ints("shape")
    for name in ("values", "int64_values", "int32_values", "fp32_values", "bool_values"):
        values = context.op.attrs.get(name)
        if isinstance(values, tuple) and values:
            numbers: list[Number] = [v for v in values if isinstance(v, int | float)]
            given = "shape" in context.op.attrs
            yield from context.out(tensor(shape if given else (len(numbers),), numbers))
            return
    yield from context.out(Tensor(shape or None))


def batch_size_like(context: ShapeContext) -> Iterator[Made]:
    """One size is that of the input."""
    x, shape = context.get("Input").shape, list(context.op.get_ints("shape"))
    source, target = context.op.get_int("input_dim_idx"), context.op.get_int("output_dim_idx")
    if x is not None and source < len(x) and target < len(shape):
        shape[target] = x[source]
    yield from context.out(Tensor(tuple(shape)))


def filled_like(context: ShapeContext) -> Iterator[Made]:
    """One number everywhere, in the shape of the input."""
    x, value = context.get("X"), context.op.attrs.get("value", 0)
    if context.op.type.startswith("ones"):
        value = 1
    number = finite(value)
    data = (number,) * x.numel if number is not None and 0 <= x.numel <= MAX_DATA else None
    yield from context.out(tensor(x.shape, data))


def counted_up(context: ShapeContext) -> Iterator[Made]:
    """range: from Start to End by Step."""
    start, end, step = (
        _end(context, slot, attr)
        for slot, attr in (("Start", "start"), ("End", "end"), ("Step", "step"))
    )
    if start is None or end is None or not step:
        yield from context.out(Tensor((-1,)))
        return
    try:
        count = max(0, ceil((end - start) / step))
    except OverflowError:
        yield from context.out(Tensor((-1,)))
        return
    data = [start + i * step for i in range(count)] if count <= MAX_DATA else None
    yield from context.out(tensor((count,), data))


def _end(context: ShapeContext, slot: str, attr: str) -> Number | None:
    given = context.op.attrs.get(attr)
    return context.get(slot).single() if context.every(slot) else finite(given)


def evenly_spaced(context: ShapeContext) -> Iterator[Made]:
    """linspace: Num numbers."""
    count = context.get("Num").single()
    yield from context.out(Tensor((-1 if count is None else int(count),)))


def grids(context: ShapeContext) -> Iterator[Made]:
    """meshgrid: an output for each input, all of the product's shape."""
    shape = tuple((t.shape or (-1,))[0] for t in context.every("X"))
    for i in range(len(shape)):
        yield Made("Out", Tensor(shape), i)
