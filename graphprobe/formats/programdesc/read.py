"""ProgramDesc bytes -> Program. Fields that only newer eras have are optional."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphprobe.errors import LoadError
from graphprobe.formats._limits import (
    MAX_BLOCKS,
    MAX_ITEM_BYTES,
    MAX_OPS,
    MAX_VARS,
    check_tree,
    damaged,
)
from graphprobe.formats._ports import ports
from graphprobe.formats.programdesc.schema import message_class
from graphprobe.formats.programdesc.types import (
    ATTR_FIELDS,
    BLOCK,
    BLOCKS,
    BOOLEANS,
    DTYPES,
    KINDS,
    SCALAR,
    SCALAR_FIELDS,
    SCALARS,
)
from graphprobe.ir import Attr, Block, Op, Origin, Program, Var

# Python tracebacks of the user's own code: most of a file, nothing about the network.
_SKIPPED = b"op_callstack"
# Shared by all ops that need none; never changed.
_NO_TYPES: Mapping[str, int] = {}


def read_program(content: bytes, source: str) -> Program:
    """The program that a ProgramDesc holds.

    Args:
        content: the whole file.
        source: what the user typed, for messages and ``Origin.source``.

    Raises:
        LoadError: the content cannot be decoded, or contradicts itself.
    """
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
    versions = tuple((_text(p.op_name), p.op_version.version) for p in desc.op_version_map.pair)
    return Program(
        tuple(blocks), feeds, fetches, Origin(source, "programdesc", _version(desc), versions)
    )


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
    """``1.8.4`` from 1008004; None where the file has none."""
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
    kind = KINDS.get(desc.type.type, "other")
    tensor = _tensor(desc.type, kind)
    return Var(
        name=_text(desc.name),
        shape=None if tensor is None else tuple(tensor.dims),
        dtype="unknown" if tensor is None else DTYPES.get(tensor.data_type, "unknown"),
        persistable=desc.persistable,
        kind=kind,
        is_parameter=desc.is_parameter,
        stop_gradient=desc.stop_gradient,
        lod_level=_lod_level(desc.type, kind),
    )


def _tensor(desc: Any, kind: str) -> Any | None:
    if kind == "tensor":
        return desc.lod_tensor.tensor if desc.HasField("lod_tensor") else None
    if kind == "tensor_array":
        return desc.tensor_array.tensor if desc.HasField("tensor_array") else None
    if kind == "selected_rows":
        return desc.selected_rows if desc.HasField("selected_rows") else None
    return None


def _lod_level(desc: Any, kind: str) -> int:
    if kind not in ("tensor", "tensor_array"):
        return 0
    level: int = (desc.lod_tensor if kind == "tensor" else desc.tensor_array).lod_level
    return level


def _op(desc: Any, number: int, block: int, blocks: int, source: str) -> Op:
    attrs: dict[str, Attr] = {}
    types: dict[str, int] | None = None
    for attr in desc.attrs:
        # Each look into a message makes an object: name and type are taken out once.
        name, kind = attr.name, attr.type
        if name == _SKIPPED:
            continue
        text = _text(name)
        value = attrs[text] = _attr(attr, kind)
        if kind > BOOLEANS or value == ():
            types = {} if types is None else types
            types[text] = kind
        if kind in (BLOCK, BLOCKS):
            inner = [attr.block_idx] if kind == BLOCK else attr.blocks_idx
            _check_inner(inner, block, blocks, f"op {number} ({_text(desc.type)})", source)
    inputs, outputs = _slots(desc.inputs), _slots(desc.outputs)
    return Op(number, _text(desc.type), inputs, outputs, attrs, block, types or _NO_TYPES)


def _check_inner(inner: Iterable[int], block: int, blocks: int, who: str, source: str) -> None:
    """A sub-block has a higher index than the block of its op, so there are no cycles."""
    for index in inner:
        if not block < index < blocks:
            raise damaged(f"{who} in block {block} holds block {index} of {blocks}", source)


def _slots(slots: Any) -> dict[str, tuple[str, ...]]:
    return {_text(s.parameter): tuple(map(_text, s.arguments)) for s in slots}


def _attr(attr: Any, kind: int) -> Attr:
    name = ATTR_FIELDS.get(kind)
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
    if kind == SCALAR:
        return _scalar(attr.scalar)
    if kind == SCALARS:
        return tuple(v for v in map(_scalar, attr.scalars) if v is not None)
    return None


def _scalar(scalar: Any) -> bool | int | float | None:
    name = SCALAR_FIELDS.get(scalar.type)
    value: bool | int | float | None = getattr(scalar, name) if name else None
    return value


def _text(raw: bytes) -> str:
    """Names repeat: interning saves memory. Bytes that are no UTF-8 stay visible as ``\\xff``."""
    return sys.intern(raw.decode("utf-8", "backslashreplace"))
