"""Types and attributes of PIR json, and typed access to json that nobody has checked."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from graphprobe.errors import LoadError
from graphprobe.ir import Attr, Var
from graphprobe.ir.program import Scalar

Json: TypeAlias = Any

_DTYPES = {
    "t_bool": "bool",
    "t_ui8": "uint8",
    "t_i8": "int8",
    "t_i16": "int16",
    "t_i32": "int32",
    "t_i64": "int64",
    "t_index": "int64",
    "t_f16": "float16",
    "t_bf16": "bfloat16",
    "t_f32": "float32",
    "t_f64": "float64",
    "t_c64": "complex64",
    "t_c128": "complex128",
    "t_f8e4m3fn": "float8_e4m3fn",
    "t_f8e5m2": "float8_e5m2",
}
_MAX_VECTOR = 100_000


class Malformed(Exception):
    """The json is not what PIR writes; caught by the loader, which knows the file."""


def get_list(item: Json, key: str) -> list[Json]:
    """A list under a key; an empty one where the key is absent."""
    value = item.get(key, [])
    if not isinstance(value, list):
        raise Malformed(f"{key!r} is no list")
    return value


def get_dict(item: Json) -> dict[str, Json]:
    """The item itself, if it is an object."""
    if not isinstance(item, dict):
        raise Malformed(f"expected an object, found {shown(item)}")
    return item


def get_text(item: Json, key: str) -> str:
    """A string under a key. Half characters stay visible, as ``\\ud800``."""
    value = item.get(key)
    if not isinstance(value, str):
        raise Malformed(f"{key!r} is no text")
    return clean(value)


def get_id(item: Json) -> int:
    """The number of a value; 0 means that an optional operand is absent."""
    value = get_dict(item).get("%", get_dict(item).get("#"))
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(f"a value has the number {shown(value)}")
    return value


def clean(text: str) -> str:
    """Text that can be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def shown(value: object) -> str:
    """A value for an error message, short."""
    text = repr(value) if not isinstance(value, list | dict) else f"a {type(value).__name__}"
    return clean(text[:40])


def variables(name: str, type_json: Json) -> list[Var]:
    """The variables that represent a value of this type: one, or one for each member of a vector.

    Args:
        name: the value's name; the members of a vector are called ``NAME.0``, ``NAME.1``, ...
        type_json: the value's type.
    """
    kind, data = _split(type_json)
    if kind != "t_vec":
        return [_variable(name, kind, data)]
    if not isinstance(data, list) or len(data) > _MAX_VECTOR:
        raise Malformed("a vector type without a list of members")
    return [_variable(f"{name}.{i}", *_split(item)) for i, item in enumerate(data)]


def is_absent(value: Json) -> bool:
    """Whether a result is not made, as the reserve space of a norm that ProgramDesc left out."""
    found = get_dict(value).get("TT")
    return isinstance(found, dict) and found.get("#") == "NULL"


def _split(type_json: Json) -> tuple[str, Json]:
    """``("t_dtensor", [...])`` from ``{"#": "0.t_dtensor", "D": [...]}``."""
    if not isinstance(type_json, dict):
        return "NULL", None
    name = type_json.get("#")
    return (name.partition(".")[2] if isinstance(name, str) else "NULL"), type_json.get("D")


def _variable(name: str, kind: str, data: Json) -> Var:
    if kind == "NULL" or not isinstance(data, list) or len(data) < 2:
        return Var(name, None, "unknown", kind="other")
    dtype = _DTYPES.get(_split(data[0])[0], "unknown")
    if kind == "t_dtensor":
        return Var(name, _shape(data[1]), dtype)
    array = "array" in kind or "arr" in kind
    return Var(name, _shape(data[1]), dtype, kind="tensor_array" if array else "other")


def _shape(data: Json) -> tuple[int, ...]:
    if not isinstance(data, list) or not all(type(size) is int for size in data):
        raise Malformed(f"a shape is {shown(data)}")
    return tuple(data)


def attribute(json: Json) -> Attr:
    """The value of an attribute: a scalar, a tuple of scalars, or None for what is neither."""
    kind, data = _split(json)
    if kind == "a_array":
        members = data if isinstance(data, list) else []
        items = (attribute(item) for item in members if _is_plain(item))
        return tuple(i for i in items if i is not None and not isinstance(i, tuple))
    if kind == "a_scalar":
        return _scalar(data[1]) if isinstance(data, list) and len(data) > 1 else None
    if kind == "a_intarray":
        return _scalars(data)
    if kind == "a_place" or data is None:
        return _special(json)
    return _scalars(data) if isinstance(data, list) else _scalar(data)


def _is_plain(item: Json) -> bool:
    """Arrays of arrays have no counterpart in ProgramDesc, and looking into them could recurse."""
    return _split(item)[0] != "a_array"


def _special(json: Json) -> Attr:
    """Floats that json cannot hold are written as text under VD."""
    text = json.get("VD") if isinstance(json, dict) else None
    if not isinstance(text, str):
        return None
    values = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
    return values.get(text.lower().replace("infinity", "inf"))


def _scalars(data: Json) -> tuple[Scalar, ...]:
    items = map(_scalar, data if isinstance(data, list) else [data])
    return tuple(item for item in items if item is not None)


def _scalar(data: Json) -> Scalar | None:
    if isinstance(data, str):
        return clean(data)
    return data if isinstance(data, bool | int | float) else None


def named_attributes(items: list[Json]) -> dict[str, Attr]:
    """Name -> value of a list of attributes."""
    found: dict[str, Attr] = {}
    for item in items:
        if isinstance(item, dict) and isinstance(item.get("N"), str):
            found[clean(item["N"])] = attribute(item.get("AT"))
    return found


def main_block(document: Json) -> dict[str, Json]:
    """The one block of a whole file's document."""
    base, program = document.get("base_code"), document.get("program")
    if not isinstance(base, dict) or base.get("magic") != "pir" or not isinstance(program, dict):
        raise Malformed("it lacks base_code with magic pir, or program")
    regions = get_list(program, "regions")
    blocks = get_list(get_dict(regions[0]), "blocks") if regions else []
    if not blocks:
        raise Malformed("its program has no block")
    return get_dict(blocks[0])


def malformed(error: Malformed, source: str) -> LoadError:
    """The user's error for json that is not what PIR writes."""
    return LoadError(f"a damaged PIR json: {error}", where=source, hint="export the model again")
