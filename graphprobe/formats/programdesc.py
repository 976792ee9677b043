"""ProgramDesc protobuf files (``__model__``, ``*.pdmodel``) of every Paddle era."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from graphprobe.errors import LoadError
from graphprobe.formats._base import Loader
from graphprobe.formats._limits import (
    MAX_BLOCKS,
    MAX_ITEM_BYTES,
    MAX_OPS,
    MAX_VARS,
    check_tree,
    damaged,
)
from graphprobe.formats._ports import ports
from graphprobe.formats._schema import message_class
from graphprobe.ir import Attr, Block, Op, Origin, Program, Var

# VarType.Type: what a variable is.
_KINDS = {
    7: "tensor",
    8: "selected_rows",
    9: "feed",
    10: "fetch",
    11: "scope",
    13: "tensor_array",
    15: "reader",
    17: "raw",
    28: "feed",
}
# VarType.Type: what a tensor is made of. SIZE_T (19) is what Paddle calls it; numpy has uint64.
_DTYPES = {
    0: "bool",
    1: "int16",
    2: "int32",
    3: "int64",
    4: "float16",
    5: "float32",
    6: "float64",
    19: "uint64",
    20: "uint8",
    21: "int8",
    22: "bfloat16",
    23: "complex64",
    24: "complex128",
    32: "float8_e4m3fn",
    33: "float8_e5m2",
}
# AttrType -> the field of OpDesc.Attr that holds the value. 16 and 17 (scalars) are apart.
_ATTR_FIELDS = {
    0: "i",
    1: "f",
    2: "s",
    3: "ints",
    4: "floats",
    5: "strings",
    6: "b",
    7: "bools",
    8: "block_idx",
    9: "l",
    10: "blocks_idx",
    11: "longs",
    12: "float64s",
    13: "var_name",
    14: "vars_name",
    15: "float64",
}
_BLOCK, _BLOCKS, _SCALAR, _SCALARS = 8, 10, 16, 17
_SCALAR_FIELDS = {1: "b", 2: "i", 3: "r"}
# Python tracebacks of the user's own code: most of a file, nothing about the network.
_SKIPPED = b"op_callstack"


def _sniff(head: bytes) -> bool:
    """A ProgramDesc starts with field 1 (blocks), a message."""
    return head[:1] == b"\x0a"


def _load(content: bytes, source: str) -> Program:
    desc = _decode("LazyProgramDesc", content, source)
    if not desc.blocks:
        raise damaged("it has no blocks", source)
    _check_count("blocks", len(desc.blocks), MAX_BLOCKS, source)
    drafts = [_decode("LazyBlockDesc", block, source) for block in desc.blocks]
    check_tree([draft.parent_idx for draft in drafts], source)
    _check_count("ops", sum(len(draft.ops) for draft in drafts), MAX_OPS, source)
    _check_count("variables", sum(len(draft.vars) for draft in drafts), MAX_VARS, source)
    blocks: list[Block] = []
    first = 0
    for index, draft in enumerate(drafts):
        blocks.append(_block(draft, index, first, len(drafts), source))
        first += len(draft.ops)
    feeds, fetches = ports(blocks[0])
    return Program(tuple(blocks), feeds, fetches, Origin(source, "programdesc", _version(desc)))


def _check_count(what: str, count: int, most: int, source: str) -> None:
    if count > most:
        raise damaged(f"it has {count} {what}, more than {most}", source)


def _decode(name: str, content: bytes, source: str) -> Any:
    """Decode one message, whole."""
    from google.protobuf.message import DecodeError

    desc = message_class(name)()
    try:
        desc.ParseFromString(content)
        # Newer protobuf leaves this to the caller: a cut between two fields is no decoding error.
        if not desc.IsInitialized():
            raise DecodeError
    except DecodeError as error:
        raise LoadError(
            "no whole ProgramDesc: it cannot be decoded",
            where=source,
            hint="it may be truncated or of another kind; save or copy the model again",
        ) from error
    return desc


def _decode_each(name: str, items: Iterable[bytes], source: str) -> Iterator[Any]:
    """Decode one after the other, so that only one is held decoded."""
    for item in items:
        if len(item) > MAX_ITEM_BYTES:
            raise damaged(f"a {name} of {len(item)} bytes", source)
        yield _decode(name, item, source)


def _version(desc: Any) -> str | None:
    """``1.8.4`` from 1008004; None where the file does not say."""
    number = desc.version.version or desc.old_version.version
    if number <= 0:
        return None
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def _block(desc: Any, index: int, first: int, blocks: int, source: str) -> Block:
    variables = {v.name: v for v in map(_var, _decode_each("VarDesc", desc.vars, source))}
    ops = tuple(
        _op(op, first + i, index, blocks, source)
        for i, op in enumerate(_decode_each("OpDesc", desc.ops, source))
    )
    return Block(index, desc.parent_idx if index else -1, variables, ops)


def _var(desc: Any) -> Var:
    kind = _KINDS.get(desc.type.type, "other")
    tensor = _tensor(desc.type, kind)
    return Var(
        name=_text(desc.name),
        shape=None if tensor is None else tuple(tensor.dims),
        dtype="unknown" if tensor is None else _DTYPES.get(tensor.data_type, "unknown"),
        persistable=desc.persistable,
        kind=kind,
        is_parameter=desc.is_parameter,
        stop_gradient=desc.stop_gradient,
    )


def _tensor(desc: Any, kind: str) -> Any | None:
    if kind == "tensor":
        return desc.lod_tensor.tensor if desc.HasField("lod_tensor") else None
    if kind == "tensor_array":
        return desc.tensor_array.tensor if desc.HasField("tensor_array") else None
    if kind == "selected_rows":
        return desc.selected_rows if desc.HasField("selected_rows") else None
    return None


def _op(desc: Any, number: int, block: int, blocks: int, source: str) -> Op:
    attrs: dict[str, Attr] = {}
    for attr in desc.attrs:
        # Each look into a message makes an object: name and type are taken out once.
        name, kind = attr.name, attr.type
        if name == _SKIPPED:
            continue
        attrs[_text(name)] = _attr(attr, kind)
        if kind in (_BLOCK, _BLOCKS):
            inner = [attr.block_idx] if kind == _BLOCK else attr.blocks_idx
            _check_inner(inner, block, blocks, f"op {number} ({_text(desc.type)})", source)
    return Op(number, _text(desc.type), _slots(desc.inputs), _slots(desc.outputs), attrs, block)


def _check_inner(inner: Iterable[int], block: int, blocks: int, who: str, source: str) -> None:
    """A block that an op owns is made after the one that the op stands in; so no cycles."""
    for index in inner:
        if not block < index < blocks:
            raise damaged(f"{who} in block {block} holds block {index} of {blocks}", source)


def _slots(slots: Any) -> dict[str, tuple[str, ...]]:
    return {_text(s.parameter): tuple(map(_text, s.arguments)) for s in slots}


def _attr(attr: Any, kind: int) -> Attr:
    name = _ATTR_FIELDS.get(kind)
    if name is None:
        return _scalars(attr, kind)
    value = getattr(attr, name)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, bytes):
        return _text(value)
    items = tuple(value)
    return tuple(map(_text, items)) if items and isinstance(items[0], bytes) else items


def _scalars(attr: Any, kind: int) -> Attr:
    if kind == _SCALAR:
        return _scalar(attr.scalar)
    if kind == _SCALARS:
        return tuple(v for v in map(_scalar, attr.scalars) if v is not None)
    return None


def _scalar(scalar: Any) -> bool | int | float | None:
    name = _SCALAR_FIELDS.get(scalar.type)
    value: bool | int | float | None = getattr(scalar, name) if name else None
    return value


def _text(raw: bytes) -> str:
    """Names repeat: interning saves memory. Bytes that are no UTF-8 stay visible as ``\\xff``."""
    return sys.intern(raw.decode("utf-8", "backslashreplace"))


LOADER = Loader("programdesc", _sniff, _load)
