"""Sizes and shape tensors, followed through a program: what a target shape is when it is computed.

Each axis of each value has a `Size`: the number that is declared, or a symbol that stands for the
same size wherever it goes (the batch, H and W of an open input). Each entry of a small integer
tensor that describes a shape has a `ShapeEntry`: a constant and where it is written, an axis of a
value that was measured by ``shape``, or a size of unknown origin. Linear in the slots of the ops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import NamedTuple, TypeAlias

from graphprobe.ir import Dataflow, Op, Value
from graphprobe.ops.sizes import Size, SizeNumbers, product
from graphprobe.ops.table import op_spec

# Where an op is given the shape that it makes: one tensor, or one for each axis.
_TARGET_SLOTS = ("Shape", "ShapeTensor", "expand_shapes_tensor")
# Shape tensors have an entry for each axis; longer ones are data.
_MAX_ENTRIES = 16


class ConstantSource(NamedTuple):
    """Where a constant entry is written: an attribute of an op, and which entry of a list."""

    op: int
    attr: str
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class ShapeEntry:
    """One entry of a shape.

    Args:
        size: what it is; 0 and -1 as a reshape means them.
        source: where the constant is written; None where it is measured or computed.
        value: id of the value that was measured, or None.
        axis: its axis.
        divided: by what the measured size was divided.
    """

    size: Size
    source: ConstantSource | None = None
    value: int | None = None
    axis: int = 0
    divided: int = 1


Sizes: TypeAlias = tuple[Size, ...]
Entries: TypeAlias = tuple[ShapeEntry, ...]


class ShapeValues:
    """The sizes of every value, and the entries of shape tensors, as far as they are followed."""

    def __init__(self, flow: Dataflow) -> None:
        self.flow = flow
        self._sizes: list[Sizes | None] = [None] * len(flow.values)
        self._entries: list[Entries | None] = [None] * len(flow.values)
        self._numbers = SizeNumbers()
        for value in flow.values:
            if value.producer is None:
                self._sizes[value.id] = self._declared(value, None)

    def numbers(self, value: Value) -> tuple[int, ...] | None:
        """The sizes of a value as integers; below 0 where open, equal where they are equal."""
        return self._numbers.numbers(self._sizes[value.id])

    def number(self, size: Size) -> int:
        """The integer that stands for one size."""
        return self._numbers.number(size)

    def sizes(self, value: Value) -> Sizes | None:
        """The sizes of a value, or None where its rank is not known."""
        return self._sizes[value.id]

    def visit(self, op: Op) -> None:
        """Follow one op; ops are visited in the order of execution."""
        rule = _entry_rule(op)
        entries = rule(self, op) if rule is not None else None
        made = self._made(op)
        for value in self.flow.writes(op):
            if value.slot in ("Out", "Y", "Output") and value.index == 0:
                self._entries[value.id] = entries
            self._sizes[value.id] = self._declared(value, made(value) if made else None)

    def entries(self, op: Op, slot: str = "X") -> Entries | None:
        """The entries that an op reads in a slot."""
        value = self.flow.read(op, slot)
        return None if value is None else self._entries[value.id]

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
                    part[0] if part else _unknown(f"v{i}")
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

    def _made(self, op: Op) -> _Made | None:
        spec = op_spec(op.type)
        if spec is None:
            return None
        rule = _KIND_RULES.get(spec.kind) or _MOVE_RULES.get(spec.move or "")
        return None if rule is None else rule(self, op)

    def _declared(self, value: Value, made: Sizes | None) -> Sizes | None:
        """What the rule says where that is known, then what is declared, then a new symbol."""
        shape = self.flow.program.shape(value.name, value.block)
        if shape is None or (made is not None and len(made) != len(shape)):
            return made if shape is None else self._symbols(value, shape)
        if made is None:
            return self._symbols(value, shape)
        return tuple(
            Size(n) if n >= 0 and not size.known else size
            for n, size in zip(shape, made, strict=True)
        )

    def _symbols(self, value: Value, shape: Sequence[int]) -> Sizes:
        return tuple(
            Size(n) if n >= 0 else Size(1, (f"{value.id}.{i}",)) for i, n in enumerate(shape)
        )


_Made: TypeAlias = Callable[[Value], "Sizes | None"]
_EntryRule: TypeAlias = Callable[[ShapeValues, Op], "Entries | None"]
_SizeRule: TypeAlias = Callable[[ShapeValues, Op], "_Made | None"]


def _unknown(name: str) -> ShapeEntry:
    return ShapeEntry(Size(1, (name,)))


# Shape tensors.


def _measured(values: ShapeValues, op: Op) -> Entries | None:
    value = values.flow.read(op, "Input")
    sizes = None if value is None else values.sizes(value)
    if value is None or sizes is None:
        return None
    return tuple(ShapeEntry(size, None, value.id, i) for i, size in enumerate(sizes))


def _filled(_: ShapeValues, op: Op) -> Entries | None:
    shape = op.get_ints("shape")
    count = prod(shape)
    if any(op.inputs.get(slot) for slot in ("ShapeTensor", "ShapeTensorList", "ValueTensor")):
        return None
    number = _whole(op.attrs.get("str_value") or op.attrs.get("value"))
    if number is None or not 0 < count <= _MAX_ENTRIES:
        return None
    return (ShapeEntry(Size(number), ConstantSource(op.id, "value")),) * count


def _whole(value: object) -> int | None:
    try:
        number = float(value) if isinstance(value, (int, float, str)) else None
    except ValueError:
        return None
    return int(number) if number is not None and number == int(number) else None


def _listed(_: ShapeValues, op: Op) -> Entries | None:
    for attr in ("int32_values", "int64_values", "values"):
        given = op.get_ints(attr)
        if given:
            if len(given) > _MAX_ENTRIES:
                return None
            return tuple(
                ShapeEntry(Size(n), ConstantSource(op.id, attr, i)) for i, n in enumerate(given)
            )
    return None


def _part(values: ShapeValues, op: Op) -> Entries | None:
    given = values.entries(op, "Input")
    if given is None or op.get_ints("axes") != (0,):
        return None
    if any(name.endswith(("Tensor", "TensorList")) and names for name, names in op.inputs.items()):
        return None
    starts, ends = op.get_ints("starts"), op.get_ints("ends")
    steps = op.get_ints("strides") or (1,)
    return given[starts[0] : ends[0] : steps[0] or 1] if starts and ends else None


def _joined_entries(values: ShapeValues, op: Op) -> Entries | None:
    found: list[ShapeEntry] = []
    for i in values.flow.inputs[op.id].get("X", ()):
        part = values._entries[i]
        if part is None:
            return None
        found += part
    return tuple(found) if len(found) <= _MAX_ENTRIES else None


def _passed(values: ShapeValues, op: Op) -> Entries | None:
    return values.entries(op)


def _scaled(values: ShapeValues, op: Op) -> Entries | None:
    given = values.entries(op)
    factor, bias = _whole(op.attrs.get("scale", 1.0)), _whole(op.attrs.get("bias", 0.0))
    if given is None or factor is None or bias is None or op.inputs.get("ScaleTensor"):
        return None
    if (factor, bias) == (1, 0):
        return given
    if bias == 0:
        return tuple(ShapeEntry(e.size.times(Size(factor))) for e in given)
    known = all(e.size.known for e in given)
    return tuple(ShapeEntry(Size(e.size.factor * factor + bias)) for e in given) if known else None


def _combined(values: ShapeValues, op: Op) -> Entries | None:
    x, y = values.entries(op, "X"), values.entries(op, "Y")
    if x is None or y is None or (len(x) != len(y) and 1 not in (len(x), len(y))):
        return None
    n = max(len(x), len(y))
    pairs = zip(x if len(x) == n else x * n, y if len(y) == n else y * n, strict=True)
    return tuple(_arithmetic(op.type, a, b) or _unknown(f"o{op.id}.{i}")
                 for i, (a, b) in enumerate(pairs))  # fmt: skip


def _arithmetic(kind: str, a: ShapeEntry, b: ShapeEntry) -> ShapeEntry | None:
    if kind == "elementwise_mul":
        return ShapeEntry(a.size.times(b.size))
    if kind.endswith("div"):
        size = a.size.over(b.size)
        if size is None:
            return None
        if b.size.known and a.value is not None:
            return replace(a, size=size, divided=a.divided * b.size.factor)
        return ShapeEntry(size)
    sign = {"add": 1, "sub": -1}.get(kind.removeprefix("elementwise_"))
    if sign is not None and a.size.known and b.size.known:
        return ShapeEntry(Size(a.size.factor + sign * b.size.factor))
    return None


def _entry_rule(op: Op) -> _EntryRule | None:
    """How the entries of a shape pass an op, by what it does."""
    spec = op_spec(op.type)
    if spec is None:
        return None
    if spec.kind == "size":
        return _measured if op.type == "shape" else None
    if spec.kind == "source":
        return _filled if "shape" in op.attrs and "value" in op.attrs else _listed
    if spec.kind == "elementwise":
        return _combined
    if op.type == "scale":
        return _scaled
    return _passed if spec.kind == "identity" else _ENTRY_MOVES.get(spec.move or "")


_ENTRY_MOVES: dict[str, _EntryRule] = {
    "slice": _part,
    "concat": _joined_entries,
    "stack": _joined_entries,
    **dict.fromkeys(("squeeze", "unsqueeze", "reshape"), _passed),
}


# Sizes of tensors. A rule says of each output what is known; None leaves what is declared.


def _first(values: ShapeValues, op: Op) -> Sizes | None:
    for slot in ("X", "Input"):
        found = values.of(op, slot)
        if found is not None:
            return found
    return None


def _only(slots: str, sizes: Sizes | None) -> _Made | None:
    if sizes is None:
        return None
    names = slots.split()
    return lambda value: sizes if value.slot in names and value.index == 0 else None


def _same(values: ShapeValues, op: Op) -> _Made | None:
    return _only("Out Y Output", _first(values, op))


def _leading(count: int) -> _SizeRule:
    """The first axes of the output are those of the input (batch and, for maps, channels)."""

    def rule(values: ShapeValues, op: Op) -> _Made | None:
        x = _first(values, op)
        if x is None:
            return None
        last = op.get_str("data_format", op.get_str("data_layout")).endswith("C")
        kept = {0} if count == 1 else {0, len(x) - 1 if last else 1}

        def made(value: Value) -> Sizes | None:
            shape = values.flow.program.shape(value.name, value.block)
            if value.slot not in ("Out", "Output") or shape is None or len(shape) != len(x):
                return None
            own = values._symbols(value, shape)
            return tuple(x[i] if i in kept else size for i, size in enumerate(own))

        return made

    return rule


def _pooled(values: ShapeValues, op: Op) -> _Made | None:
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


def _transposed(values: ShapeValues, op: Op) -> _Made | None:
    x = _first(values, op)
    order = op.get_ints("axis") or op.get_ints("perm")
    if x is None or sorted(a % len(x) for a in order if x) != list(range(len(x))):
        return None
    return _only("Out", tuple(x[a] for a in order))


def _reshaped(values: ShapeValues, op: Op) -> _Made | None:
    x, target = _first(values, op), values.target(op)
    if x is None or not target:
        return None
    sizes = [x[i] if e.size == Size(0) and i < len(x) else e.size for i, e in enumerate(target)]
    rest = [i for i, size in enumerate(sizes) if size == Size(-1)]
    if len(rest) == 1:
        left = product(x).over(product(size for size in sizes if size != Size(-1)))
        sizes[rest[0]] = left if left is not None else Size(1, (f"o{op.id}",))
    return _only("Out", tuple(sizes))


def _flattened(values: ShapeValues, op: Op) -> _Made | None:
    x = _first(values, op)
    if x is None:
        return None
    if "start_axis" in op.attrs:
        start, stop = op.get_int("start_axis", 1), op.get_int("stop_axis", -1)
        start, stop = (a + len(x) if a < 0 else a for a in (start, stop))
        return _only("Out", (*x[:start], product(x[start : stop + 1]), *x[stop + 1 :]))
    axis = op.get_int("axis", 1)
    return _only("Out", (product(x[:axis]), product(x[axis:])))


def _squeezed(values: ShapeValues, op: Op) -> _Made | None:
    x, axes = _first(values, op), op.get_ints("axes")
    if x is None or not axes:
        return None
    gone = {a + len(x) if a < 0 else a for a in axes}
    return _only("Out", tuple(size for i, size in enumerate(x) if i not in gone))


def _unsqueezed(values: ShapeValues, op: Op) -> _Made | None:
    x, axes = _first(values, op), op.get_ints("axes")
    if x is None or op.inputs.get("AxesTensor") or op.inputs.get("AxesTensorList"):
        return None
    sizes = list(x)
    for a in axes:
        sizes.insert(a if a >= 0 else a + len(sizes) + 1, Size(1))
    return _only("Out", tuple(sizes))


def _sliced(values: ShapeValues, op: Op) -> _Made | None:
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
        own = iter(values._symbols(value, shape))
        pairs = [(i, next(own)) for i in range(len(x)) if i not in gone]
        return tuple(size if i in axes else x[i] for i, size in pairs)

    return made


def _split(values: ShapeValues, op: Op) -> _Made | None:
    x = _first(values, op)
    if x is None:
        return None
    axis = op.get_int("axis")
    axis = axis + len(x) if axis < 0 else axis

    def made(value: Value) -> Sizes | None:
        shape = values.flow.program.shape(value.name, value.block)
        if shape is None or len(shape) != len(x) or op.inputs.get("AxisTensor"):
            return None
        own = values._symbols(value, shape)
        return tuple(size if i == axis else x[i] for i, size in enumerate(own))

    return made


def _unstacked(values: ShapeValues, op: Op) -> _Made | None:
    x = _first(values, op)
    if x is None:
        return None
    axis = op.get_int("axis")
    axis = axis + len(x) if axis < 0 else axis
    left = tuple(size for i, size in enumerate(x) if i != axis)
    return lambda _: left


def _concat(values: ShapeValues, op: Op) -> _Made | None:
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


def _broadcast(values: ShapeValues, op: Op) -> _Made | None:
    x, y = values.of(op, "X"), values.of(op, "Y")
    if x is None or y is None:
        return None
    wide, narrow = (x, y) if len(x) >= len(y) else (y, x)
    missing = len(wide) - len(narrow)
    axis = op.get_int("axis", -1)
    before = min(axis, missing) if axis >= 0 else missing
    full = (Size(1),) * before + narrow + (Size(1),) * (missing - before)
    return _only("Out", tuple(b if a == Size(1) else a for a, b in zip(wide, full, strict=True)))


def _matmul(values: ShapeValues, op: Op) -> _Made | None:
    x, y = values.of(op, "X"), values.of(op, "Y")
    if x is None or y is None or len(x) < 2 or len(y) < 2:
        return None
    turned = [bool(op.attrs.get(a) or op.attrs.get(b)) for a, b in (
        ("trans_x", "transpose_X"), ("trans_y", "transpose_Y"))]  # fmt: skip
    rows, columns = x[-1 if turned[0] else -2], y[-2 if turned[1] else -1]
    wide = x if len(x) >= len(y) else y
    return _only("Out", (*wide[:-2], rows, columns))


def _linear(x_slot: str, w_slot: str, attr: str) -> _SizeRule:
    def rule(values: ShapeValues, op: Op) -> _Made | None:
        x, w = values.of(op, x_slot), values.of(op, w_slot)
        if x is None or w is None:
            return None
        return _only("Out", (*x[: op.get_int(attr, 1)], w[-1]))

    return rule


def _product_sizes(values: ShapeValues, op: Op) -> _Made | None:
    if "x_num_col_dims" in op.attrs:
        return _linear("X", "Y", "x_num_col_dims")(values, op)
    if op.input("W") is not None:
        return _linear("Input", "W", "in_num_col_dims")(values, op)
    return _matmul(values, op)


def _regrouped(values: ShapeValues, op: Op) -> _Made | None:
    target = values.target(op)
    return _reshaped(values, op) if target else _flattened(values, op)


_MOVE_RULES: dict[str, _SizeRule] = {
    "transpose": _transposed,
    "reshape": _regrouped,
    "squeeze": _squeezed,
    "unsqueeze": _unsqueezed,
    "slice": _sliced,
    "split": _split,
    "unstack": _unstacked,
    "concat": _concat,
}
_KIND_RULES: dict[str, _SizeRule] = {
    **dict.fromkeys(("activation", "softmax", "unary", "identity", "norm", "quantize"), _same),
    **dict.fromkeys(("elementwise", "comparison"), _broadcast),
    "convolution": _leading(1),
    "linear": _product_sizes,
    "pool": _pooled,
    "upsample": _leading(2),
}
