"""What single operators need beyond the rules for all of them, when PIR becomes ProgramDesc.

The three tables here are the translation's own and not part of `graphprobe.ops`: they hold what
Paddle 2.6.2 writes for an operator (see `op_protos.json`), which no analysis of a program asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from graphprobe.formats.programdesc.protos import OpProto
from graphprobe.formats.programdesc.write import DTYPE_NUMBERS
from graphprobe.ir import Attr, Op, Var

UNDEFINED = -1
# Attributes of an operator that reduces over the axes `dim`, or over all of them.
_OVER_AXES = {"dim", "reduce_all"}
# PIR's operator -> type and attributes in Paddle 2.
_RETYPED: dict[str, tuple[str, dict[str, Attr]]] = {
    "tril": ("tril_triu", {"lower": True}),
    "triu": ("tril_triu", {"lower": False}),
    "diag": ("diag_v2", {}),
    "set_value_with_tensor": ("set_value", {}),
}
# Attributes that operators have got after Paddle 2.6.2, with the value that changes nothing.
_NEUTRAL: dict[tuple[str, str], Attr] = {
    ("argsort", "stable"): False,
    ("cumprod", "exclusive"): False,
    ("cumprod", "reverse"): False,
    ("round", "decimals"): 0,
    ("max_pool2d_with_index", "ceil_mode"): False,
    ("max_pool3d_with_index", "ceil_mode"): False,
    ("thresholded_relu", "value"): 0.0,
}


class Values(Protocol):
    """What is known of the variables around an op."""

    problems: Counter[str]

    def var(self, name: str) -> Var | None:
        """A variable by name."""

    def dtype(self, name: str | None) -> str:
        """Its data type, ``unknown`` where it has none."""


def is_neutral(type: str, name: str, value: Attr) -> bool:
    """Whether an attribute that Paddle 2.6.2 does not have has the value that changes nothing."""
    return (type, name) in _NEUTRAL and _NEUTRAL[type, name] == value


def completed(values: Values, op: Op, proto: OpProto) -> Op:
    """The op with what its type needs."""
    if proto.attrs.keys() >= _OVER_AXES:
        # Over all axes where none is named.
        op = replace(op, attrs={**op.attrs, "reduce_all": op.attrs.get("dim", ()) == ()})
    return _COMPLETE.get(op.type, _as_it_is)(values, op)


def retyped(op: Op) -> Op:
    """The type that Paddle 2 has for an operator."""
    if op.type == "deformable_conv" and not op.inputs.get("Mask"):
        return replace(op, type="deformable_conv_v1")
    type, attrs = _RETYPED.get(op.type, (op.type, {}))
    return replace(op, type=type, attrs={**op.attrs, **attrs})


def by_position(op: Op, proto: OpProto) -> Op:
    """Slots of an operator that the names of PIR lack: those of Paddle 2, in the same order."""
    return replace(
        op,
        inputs=_slots_by_position(op.inputs, tuple(proto.inputs), "X", "Input_"),
        outputs=_slots_by_position(op.outputs, tuple(proto.outputs), "Out", "Out_"),
    )


def _slots_by_position(
    given: Mapping[str, tuple[str, ...]], known: tuple[str, ...], first: str, others: str
) -> dict[str, tuple[str, ...]]:
    named = {first: 0, **{f"{others}{i}": i for i in range(1, len(known))}}
    renamed = {s: known[i] for s, i in named.items() if s not in known and i < len(known)}
    return {renamed.get(slot, slot): names for slot, names in given.items()}


def _as_it_is(_values: Values, op: Op) -> Op:
    return op


def _cast(values: Values, op: Op) -> Op:
    kind = DTYPE_NUMBERS.get(values.dtype(op.input("X")), UNDEFINED)
    return replace(op, attrs={"in_dtype": kind, **op.attrs})


def _fill_constant(values: Values, op: Op) -> Op:
    """``value`` is a 32-bit float; ``str_value`` holds what it cannot."""
    value = op.attrs.get("value")
    if value is None or isinstance(value, tuple | str):
        return op
    whole = "int" in values.dtype(op.output("Out")) and value == value and abs(value) < 2**63
    text = str(int(value) if whole or isinstance(value, bool) else float(value))
    return replace(op, attrs={**op.attrs, "value": float(value), "str_value": text})


_LISTS = {
    "bool": ("bool_values", bool),
    "float32": ("fp32_values", float),
    "float64": ("fp64_values", float),
    "int32": ("int32_values", int),
    "int64": ("int64_values", int),
}


def _assign_value(values: Values, op: Op) -> Op:
    """The values go into the list of their type, which every Paddle 2 reads.

    PIR's in-place form also names the variable that is overwritten.
    """
    out = op.output("Out")
    dtype = values.dtype(out)
    found = values.var(out) if out is not None else None
    items = op.attrs.get("values", ())
    if dtype not in _LISTS or not isinstance(items, tuple):
        values.problems[f"assign_value of {dtype}"] += 1
        return op
    name, cast = _LISTS[dtype]
    shape = op.attrs.get("shape")
    if not isinstance(shape, tuple):
        shape = found.shape if found is not None and found.shape is not None else (len(items),)
    attrs = {n: v for n, v in op.attrs.items() if n != "values"}
    attrs.update({"shape": shape, "dtype": DTYPE_NUMBERS[dtype]})
    attrs[name] = tuple(cast(v) for v in items)
    return replace(op, inputs={}, attrs=attrs)


def _range(_values: Values, op: Op) -> Op:
    """The type of the result is that of the bounds, which are made in it."""
    return replace(op, attrs={n: v for n, v in op.attrs.items() if n != "dtype"})


def _batch_norm(_values: Values, op: Op) -> Op:
    outputs = dict(op.outputs)
    for written, read in (("MeanOut", "Mean"), ("VarianceOut", "Variance")):
        if op.inputs.get(read):
            outputs[written] = op.inputs[read]
    return replace(op, outputs=outputs)


def _set_value(values: Values, op: Op) -> Op:
    kind = DTYPE_NUMBERS.get(values.dtype(op.input("Input")), UNDEFINED)
    return replace(op, attrs={**op.attrs, "dtype": kind})


def _rnn(_values: Values, op: Op) -> Op:
    """The state of dropout is a result alone."""
    return replace(op, inputs={n: v for n, v in op.inputs.items() if n != "DropoutState"})


_COMPLETE: dict[str, Callable[[Values, Op], Op]] = {
    "cast": _cast,
    "fill_constant": _fill_constant,
    "assign_value": _assign_value,
    "range": _range,
    "rnn": _rnn,
    "set_value": _set_value,
    "batch_norm": _batch_norm,
    "sync_batch_norm": _batch_norm,
}
