"""How the sizes of tensors pass an op: one rule for each kind of op and each move.

A rule returns what is known of each output; where it returns nothing, what is declared holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from graphprobe.ir import Op, Value
from graphprobe.ops.shapes.spec import axis_at
from graphprobe.ops.symbols.sizes import Size, Sizes, product
from graphprobe.ops.table import op_spec

if TYPE_CHECKING:
    from graphprobe.ops.symbols.values import ShapeValues

# What is known of each output.
Made: TypeAlias = Callable[[Value], "Sizes | None"]
SizeRule: TypeAlias = "Callable[[ShapeValues, Op], Made | None]"


def size_rule(op: Op) -> SizeRule | None:
    """The rule of an op, by its kind or by how it moves numbers."""
    spec = op_spec(op.type)
    if spec is None:
        return None
    return _KIND_RULES.get(spec.kind) or _MOVE_RULES.get(spec.move or "")


def _first(values: ShapeValues, op: Op) -> Sizes | None:
    for slot in ("X", "Input"):
        found = values.of(op, slot)
        if found is not None:
            return found
    return None


def _only(slots: str, sizes: Sizes | None) -> Made | None:
    if sizes is None:
        return None
    names = slots.split()
    return lambda value: sizes if value.slot in names and value.index == 0 else None


def _same(values: ShapeValues, op: Op) -> Made | None:
    return _only("Out Y Output", _first(values, op))


def _leading(count: int) -> SizeRule:
    """The first axes of the output are those of the input (batch and, for maps, channels)."""

    def rule(values: ShapeValues, op: Op) -> Made | None:
        x = _first(values, op)
        if x is None:
            return None
        last = op.get_str("data_format", op.get_str("data_layout")).endswith("C")
        kept = {0} if count == 1 else {0, len(x) - 1 if last else 1}

        def made(value: Value) -> Sizes | None:
            shape = values.flow.program.shape(value.name, value.block)
            if value.slot not in ("Out", "Output") or shape is None or len(shape) != len(x):
                return None
            own = values.declared(value, shape)
            return tuple(x[i] if i in kept else size for i, size in enumerate(own))

        return made

    return rule


def _pooled(values: ShapeValues, op: Op) -> Made | None:
    x = _first(values, op)
    if x is None or len(x) < 3:
        return None
    last = op.get_str("data_format", "NCHW").endswith("C")
    maps = range(1, len(x) - 1) if last else range(2, len(x))
    window = op.get_ints("ksize")
    if op.attrs.get("global_pooling"):
        found = {i: Size(1) for i in maps}
    elif op.attrs.get("adaptive") and len(window) == len(maps) and not op.inputs.get("ksize"):
        found = {i: Size(n) for i, n in zip(maps, window, strict=True)}
    else:
        return _leading(2)(values, op)
    return _only("Out Mask", tuple(found.get(i, size) for i, size in enumerate(x)))


def _transposed(values: ShapeValues, op: Op) -> Made | None:
    x = _first(values, op)
    order = op.get_ints("axis") or op.get_ints("perm")
    if x is None:
        return None
    axes = [a for a in (axis_at(a, len(x)) for a in order) if a is not None]
    if len(axes) != len(order) or sorted(axes) != list(range(len(x))):
        return None
    return _only("Out", tuple(x[a] for a in axes))


def _reshaped(values: ShapeValues, op: Op) -> Made | None:
    x, target = _first(values, op), values.target(op)
    if x is None or not target:
        return None
    sizes = [x[i] if e.size == Size(0) and i < len(x) else e.size for i, e in enumerate(target)]
    rest = [i for i, size in enumerate(sizes) if size == Size(-1)]
    if len(rest) == 1:
        left = product(x).over(product(size for size in sizes if size != Size(-1)))
        sizes[rest[0]] = left if left is not None else Size(1, (f"o{op.id}",))
    return _only("Out", tuple(sizes))


def _flattened(values: ShapeValues, op: Op) -> Made | None:
    x = _first(values, op)
    if x is None:
        return None
    if "start_axis" in op.attrs:
        start, stop = op.get_int("start_axis", 1), op.get_int("stop_axis", -1)
        start, stop = (a + len(x) if a < 0 else a for a in (start, stop))
        return _only("Out", (*x[:start], product(x[start : stop + 1]), *x[stop + 1 :]))
    axis = op.get_int("axis", 1)
    return _only("Out", (product(x[:axis]), product(x[axis:])))


def _squeezed(values: ShapeValues, op: Op) -> Made | None:
    x, axes = _first(values, op), op.get_ints("axes")
    if x is None or not axes:
        return None
    gone = {a + len(x) if a < 0 else a for a in axes}
    return _only("Out", tuple(size for i, size in enumerate(x) if i not in gone))


def _unsqueezed(values: ShapeValues, op: Op) -> Made | None:
    x, axes = _first(values, op), op.get_ints("axes")
    if x is None or op.inputs.get("AxesTensor") or op.inputs.get("AxesTensorList"):
        return None
    sizes = list(x)
    for a in axes:
        sizes.insert(a if a >= 0 else a + len(sizes) + 1, Size(1))
    return _only("Out", tuple(sizes))


def _sliced(values: ShapeValues, op: Op) -> Made | None:
    """Axes that are not sliced keep their size; the others are as declared."""
    x = _first(values, op)
    if x is None:
        return None
    axes = {a + len(x) if a < 0 else a for a in op.get_ints("axes")}
    gone = {a + len(x) if a < 0 else a for a in op.get_ints("decrease_axis")}

    def made(value: Value) -> Sizes | None:
        shape = values.flow.program.shape(value.name, value.block)
        if shape is None or len(shape) != len(x) - len(gone):
            return None
        own = iter(values.declared(value, shape))
        pairs = [(i, next(own)) for i in range(len(x)) if i not in gone]
        return tuple(size if i in axes else x[i] for i, size in pairs)

    return made


def _split(values: ShapeValues, op: Op) -> Made | None:
    x = _first(values, op)
    if x is None:
        return None
    axis = op.get_int("axis")
    axis = axis + len(x) if axis < 0 else axis

    def made(value: Value) -> Sizes | None:
        shape = values.flow.program.shape(value.name, value.block)
        if shape is None or len(shape) != len(x) or op.inputs.get("AxisTensor"):
            return None
        own = values.declared(value, shape)
        return tuple(size if i == axis else x[i] for i, size in enumerate(own))

    return made


def _unstacked(values: ShapeValues, op: Op) -> Made | None:
    x = _first(values, op)
    if x is None:
        return None
    axis = op.get_int("axis")
    axis = axis + len(x) if axis < 0 else axis
    left = tuple(size for i, size in enumerate(x) if i != axis)
    return lambda _: left


def _concat(values: ShapeValues, op: Op) -> Made | None:
    parts = [values.sizes(values.flow.values[i]) for i in values.flow.inputs[op.id].get("X", ())]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts) or op.inputs.get("AxisTensor"):
        return None
    rank = len(known[0])
    axis = op.get_int("axis") % rank if rank else 0
    if any(len(part) != rank for part in known) or not rank:
        return None
    along = [part[axis] for part in known]
    whole = Size(sum(size.factor for size in along)) if all(s.known for s in along) else None
    sizes = list(known[0])
    sizes[axis] = whole if whole is not None else Size(1, (f"o{op.id}",))
    return _only("Out", tuple(sizes))


def _broadcast(values: ShapeValues, op: Op) -> Made | None:
    x, y = values.of(op, "X"), values.of(op, "Y")
    if x is None or y is None:
        return None
    wide, narrow = (x, y) if len(x) >= len(y) else (y, x)
    missing = len(wide) - len(narrow)
    axis = op.get_int("axis", -1)
    before = min(axis, missing) if axis >= 0 else missing
    full = (Size(1),) * before + narrow + (Size(1),) * (missing - before)
    return _only("Out", tuple(b if a == Size(1) else a for a, b in zip(wide, full, strict=True)))


def _matmul(values: ShapeValues, op: Op) -> Made | None:
    x, y = values.of(op, "X"), values.of(op, "Y")
    if x is None or y is None or len(x) < 2 or len(y) < 2:
        return None
    turned = [bool(op.attrs.get(a) or op.attrs.get(b)) for a, b in (
        ("trans_x", "transpose_X"), ("trans_y", "transpose_Y"))]  # fmt: skip
    rows, columns = x[-1 if turned[0] else -2], y[-2 if turned[1] else -1]
    wide = x if len(x) >= len(y) else y
    return _only("Out", (*wide[:-2], rows, columns))


def _linear(x_slot: str, w_slot: str, attr: str) -> SizeRule:
    def rule(values: ShapeValues, op: Op) -> Made | None:
        x, w = values.of(op, x_slot), values.of(op, w_slot)
        if x is None or not w:
            return None
        return _only("Out", (*x[: op.get_int(attr, 1)], w[-1]))

    return rule


def _product_sizes(values: ShapeValues, op: Op) -> Made | None:
    if "x_num_col_dims" in op.attrs:
        return _linear("X", "Y", "x_num_col_dims")(values, op)
    if op.input("W") is not None:
        return _linear("Input", "W", "in_num_col_dims")(values, op)
    return _matmul(values, op)


def _regrouped(values: ShapeValues, op: Op) -> Made | None:
    target = values.target(op)
    return _reshaped(values, op) if target else _flattened(values, op)


_MOVE_RULES: dict[str, SizeRule] = {
    "transpose": _transposed,
    "reshape": _regrouped,
    "squeeze": _squeezed,
    "unsqueeze": _unsqueezed,
    "slice": _sliced,
    "split": _split,
    "unstack": _unstacked,
    "concat": _concat,
}
_KIND_RULES: dict[str, SizeRule] = {
    **dict.fromkeys(("activation", "softmax", "unary", "identity", "norm", "quantize"), _same),
    **dict.fromkeys(("elementwise", "comparison"), _broadcast),
    "convolution": _leading(1),
    "linear": _product_sizes,
    "pool": _pooled,
    "upsample": _leading(2),
}
