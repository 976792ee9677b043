"""How the entries of a shape tensor pass an op: one rule for each sort of op that makes shapes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from graphprobe.ir import Op
from graphprobe.ops.symbols.sizes import ConstantSource, Entries, ShapeEntry, Size
from graphprobe.ops.table import op_spec

if TYPE_CHECKING:
    from graphprobe.ops.symbols.values import ShapeValues

EntryRule: TypeAlias = "Callable[[ShapeValues, Op], Entries | None]"
# Shape tensors have an entry for each axis; longer ones are data.
_MAX_ENTRIES = 16


def _unknown(name: str) -> ShapeEntry:
    return ShapeEntry(Size(1, (name,)))


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
        part = values.entries_of(i)
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
            return a._replace(size=size, divided=a.divided * b.size.factor)
        return ShapeEntry(size)
    sign = {"add": 1, "sub": -1}.get(kind.removeprefix("elementwise_"))
    if sign is not None and a.size.known and b.size.known:
        return ShapeEntry(Size(a.size.factor + sign * b.size.factor))
    return None


def entry_rule(op: Op) -> EntryRule | None:
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


_ENTRY_MOVES: dict[str, EntryRule] = {
    "slice": _part,
    "concat": _joined_entries,
    "stack": _joined_entries,
    **dict.fromkeys(("squeeze", "unsqueeze", "reshape"), _passed),
}
