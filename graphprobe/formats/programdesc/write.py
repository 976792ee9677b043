"""Program -> ProgramDesc bytes.

The type of an attribute is the one that the file had which the program was read from; else the one
that Paddle 2.6.2 registers for the operator (`protos`); else what its value looks like. What
reading leaves out is not written: call stacks, and attributes whose value is a complex number.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from graphprobe.formats.programdesc.protos import COMMON, op_proto
from graphprobe.formats.programdesc.schema import message_class
from graphprobe.formats.programdesc.types import (
    ATTR_FIELDS,
    BLOCK,
    BLOCKS,
    BOOLEAN,
    BOOLEANS,
    DTYPES,
    FLOAT,
    FLOAT64,
    FLOAT64S,
    FLOATS,
    INT,
    INTS,
    KINDS,
    LONG,
    LONGS,
    SCALAR,
    SCALARS,
    STRING,
    STRINGS,
    VAR,
    VARS,
)
from graphprobe.ir import Attr, Op, Program, Var
from graphprobe.ir.program import Scalar

DTYPE_NUMBERS = {name: number for number, name in DTYPES.items()}
# Kinds that the table reads from several numbers take the last; "other" becomes RAW.
KIND_NUMBERS = {name: number for number, name in KINDS.items()}
_RAW = KIND_NUMBERS["raw"]
_BLOCK_ATTRS = ("sub_block", "grad_block", "optimize_block")
_MAX_INT = 2**31


def encode(program: Program) -> bytes:
    """The bytes of a program, as Paddle would have saved it.

    Its version and those of its operators are what ``program.origin`` names; a program whose
    version is unknown is written without one, as the first Paddle versions did.
    """
    desc = message_class("ProgramDesc")()
    for block in program.blocks:
        out = desc.blocks.add(idx=block.index, parent_idx=block.parent)
        for var in block.vars.values():
            _add_var(out.vars.add(name=_bytes(var.name)), var)
        for op in block.ops:
            _add_op(out.ops.add(type=_bytes(op.type)), op)
    number = version_number(program.origin.version)
    if number is not None:
        desc.version.version = number
    for name, version in program.origin.op_versions:
        pair = desc.op_version_map.pair.add(op_name=_bytes(name))
        pair.op_version.version = version
    content: bytes = desc.SerializeToString()
    return content


def version_number(text: str | None) -> int | None:
    """1008004 from ``1.8.4``; None from None."""
    if text is None:
        return None
    major, minor, patch = map(int, text.split("."))
    return major * 1_000_000 + minor * 1000 + patch


def attr_type(op: Op, name: str) -> int:
    """The AttrType that an attribute is written with."""
    value = op.attrs[name]
    if op.attr_types is not None:
        return op.attr_types.get(name, _natural(value))
    proto = op_proto(op.type)
    known = COMMON.get(name) if proto is None else proto.attrs.get(name, COMMON.get(name))
    if known is not None and _fits(value, known):
        return known
    return BLOCK if name in _BLOCK_ATTRS else _natural(value)


def _add_var(out: Any, var: Var) -> None:
    out.type.type = KIND_NUMBERS.get(var.kind, _RAW)
    for flag in ("persistable", "is_parameter", "stop_gradient"):
        if getattr(var, flag):
            setattr(out, flag, True)
    tensor = _tensor(out.type, var)
    if tensor is not None:
        tensor.data_type = DTYPE_NUMBERS.get(var.dtype, DTYPE_NUMBERS["float32"])
        tensor.dims.extend(var.shape or ())


def _tensor(out: Any, var: Var) -> Any | None:
    """The TensorDesc of what holds tensors."""
    if var.shape is None:
        return None
    if var.kind == "selected_rows":
        return out.selected_rows
    if var.kind not in ("tensor", "tensor_array"):
        return None
    holder = out.lod_tensor if var.kind == "tensor" else out.tensor_array
    if var.lod_level:
        holder.lod_level = var.lod_level
    return holder.tensor


def _add_op(out: Any, op: Op) -> None:
    for slots, given in ((out.inputs, op.inputs), (out.outputs, op.outputs)):
        for slot, names in given.items():
            slots.add(parameter=_bytes(slot), arguments=map(_bytes, names))
    for name, value in op.attrs.items():
        if value is not None:
            _add_attr(out.attrs.add(name=_bytes(name)), value, attr_type(op, name))


def _add_attr(out: Any, value: Attr, kind: int) -> None:
    out.type = kind
    if kind in (SCALAR, SCALARS):
        for item in value if isinstance(value, tuple) else (value,):
            _set_scalar(out.scalars.add() if kind == SCALARS else out.scalar, item)
        return
    content = _CASTS[kind](value)
    if isinstance(content, list):
        getattr(out, ATTR_FIELDS[kind]).extend(content)
    else:
        setattr(out, ATTR_FIELDS[kind], content)


def _set_scalar(out: Any, value: Any) -> None:
    if isinstance(value, bool):
        out.type, out.b = 1, value
    elif isinstance(value, int):
        out.type, out.i = 2, value
    else:
        out.type, out.r = 3, float(value)


def _list_of(cast: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: [cast(v) for v in (value if isinstance(value, tuple) else (value,))]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


_CASTS: Mapping[int, Callable[[Any], Any]] = {
    **dict.fromkeys((INT, LONG, BLOCK), int),
    **dict.fromkeys((INTS, LONGS, BLOCKS), _list_of(int)),
    **dict.fromkeys((FLOAT, FLOAT64), float),
    **dict.fromkeys((FLOATS, FLOAT64S), _list_of(float)),
    **dict.fromkeys((STRING, VAR), _bytes),
    **dict.fromkeys((STRINGS, VARS), _list_of(_bytes)),
    BOOLEAN: bool,
    BOOLEANS: _list_of(bool),
}
_LISTS = (INTS, LONGS, BLOCKS, FLOATS, FLOAT64S, STRINGS, VARS, BOOLEANS, SCALARS)
_TEXTS = (STRING, VAR, STRINGS, VARS)
_WHOLE = (INT, LONG, BLOCK, INTS, LONGS, BLOCKS)


def _fits(value: Attr, kind: int) -> bool:
    """Whether a value can be written with a type without loss; a number may become a list."""
    items = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) and kind not in _LISTS:
        return False
    if any(isinstance(item, str) != (kind in _TEXTS) for item in items):
        return False
    if any(isinstance(item, bool) != (kind in (BOOLEAN, BOOLEANS)) for item in items):
        return kind in (SCALAR, SCALARS)
    if kind in _WHOLE:
        wide = kind in (LONG, LONGS)
        return all(isinstance(i, int) and (wide or -_MAX_INT <= i < _MAX_INT) for i in items)
    return True


def _natural(value: Attr) -> int:
    """The AttrType that a value looks like."""
    if value is None:
        return INTS
    if not isinstance(value, tuple):
        return _natural_scalar(value)
    kinds = {_natural_scalar(item) for item in value}
    several = {INT: INTS, LONG: LONGS, FLOAT: FLOATS, FLOAT64: FLOAT64S, STRING: STRINGS}
    if kinds == {BOOLEAN}:
        return BOOLEANS
    if kinds & {FLOAT, FLOAT64}:
        return FLOAT64S if FLOAT64 in kinds else FLOATS
    if LONG in kinds:
        return LONGS
    return several[kinds.pop()] if kinds else INTS


def _natural_scalar(value: Scalar) -> int:
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        return INT if -_MAX_INT <= value < _MAX_INT else LONG
    if isinstance(value, str):
        return STRING
    return FLOAT if _is_single(value) else FLOAT64


def _is_single(value: float) -> bool:
    try:
        (back,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return False
    return bool(back == value or value != value)
