"""The wire schema of ProgramDesc, as a protobuf message class of graphprobe's own.

Facts taken from paddle/fluid/framework/framework.proto, Paddle 0.11 to 3.x: names, numbers and
labels of the fields, the union of every era. The pool and the package name are graphprobe's own,
because a second definition of ``paddle.framework.proto`` clashes once paddle is imported too.

Some types differ from Paddle's on purpose, without changing what is on the wire:
    * enums are int32, so that a number from a newer Paddle does not make a file unreadable;
    * strings are bytes, so that a name that is not UTF-8 can be reported instead of raising;
    * in the lazy messages blocks, variables and ops stay bytes, to be decoded one by one: two bytes
      of a hostile file can decode to a message of a hundred.
"""

from __future__ import annotations

from functools import cache
from typing import Any

PACKAGE = "graphprobe.wire"

# message -> "label type name number"; label: ! required, ? optional, * repeated.
FIELDS = {
    "Version": "?int64 version 1",
    "Complex": "!double r 1, !double i 2",
    "Scalar": "!int32 type 1, ?bool b 2, ?int64 i 3, ?double r 4, ?Complex c 5",
    "Slot": "!bytes parameter 1, *bytes arguments 2",
    "Attr": "!bytes name 1, !int32 type 2, ?int32 i 3, ?float f 4, ?bytes s 5, *int32 ints 6, "
    "*float floats 7, *bytes strings 8, ?bool b 10, *bool bools 11, ?int32 block_idx 12, "
    "?int64 l 13, *int32 blocks_idx 14, *int64 longs 15, *double float64s 16, "
    "?bytes var_name 17, *bytes vars_name 18, ?double float64 19, ?Scalar scalar 20, "
    "*Scalar scalars 21",
    "OpDesc": "*Slot inputs 1, *Slot outputs 2, !bytes type 3, *Attr attrs 4, ?bool is_target 5",
    "TensorDesc": "!int32 data_type 1, *int64 dims 2",
    "LoDTensorDesc": "!TensorDesc tensor 1, ?int32 lod_level 2",
    "VarType": "!int32 type 1, ?TensorDesc selected_rows 2, ?LoDTensorDesc lod_tensor 3, "
    "?LoDTensorDesc tensor_array 4, ?TensorDesc string 8, ?TensorDesc strings 9, "
    "?TensorDesc vocab 10, ?TensorDesc sparse_coo 11, ?TensorDesc sparse_csr 12",
    "VarDesc": "!bytes name 1, !VarType type 2, ?bool persistable 3, ?bool need_check_feed 4, "
    "?bool is_parameter 5, ?bool stop_gradient 6",
    "BlockDesc": "!int32 idx 1, !int32 parent_idx 2, *VarDesc vars 3, *OpDesc ops 4, "
    "?int32 forward_block_idx 5",
    # Field 2 is reserved in newer eras; where it is present it is a Version.
    "ProgramDesc": "*BlockDesc blocks 1, ?Version old_version 2, ?Version version 4",
    "LazyBlockDesc": "!int32 idx 1, !int32 parent_idx 2, *bytes vars 3, *bytes ops 4",
    "LazyProgramDesc": "*bytes blocks 1, ?Version old_version 2, ?Version version 4",
}

# Numbers of google.protobuf.FieldDescriptorProto.
_LABELS = {"?": 1, "!": 2, "*": 3}
_TYPES = {"double": 1, "float": 2, "int64": 3, "int32": 5, "bool": 8, "message": 11, "bytes": 12}


def message_class(name: str) -> Any:
    """The class of a message of the schema, as ``ProgramDesc``."""
    return _classes()[name]


@cache
def _classes() -> dict[str, Any]:
    """Message classes by name, made the fast way where this protobuf still has it.

    protobuf's public module takes a third of the time of listing a real program, all of it for
    imports that decoding does not need. What it then calls is two types of its C extension.
    """
    from google.protobuf.message import Message

    try:
        from google._upb._message import DescriptorPool, MessageMeta
    except ImportError:
        return _public_classes()
    pool = DescriptorPool()
    pool.AddSerializedFile(_file_descriptor())  # type: ignore[no-untyped-call]
    return {
        name: MessageMeta(name, (Message,), {"DESCRIPTOR": descriptor, "__module__": None})
        for name, descriptor in _descriptors(pool).items()
    }


def _public_classes() -> dict[str, Any]:
    """The same through protobuf's public interface, for its other implementations."""
    from google.protobuf import descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(_file_descriptor())  # type: ignore[no-untyped-call]
    if hasattr(message_factory, "GetMessageClass"):
        make = message_factory.GetMessageClass
    else:  # protobuf before 4.22
        make = message_factory.MessageFactory(pool).GetPrototype  # type: ignore[attr-defined]
    return {name: make(descriptor) for name, descriptor in _descriptors(pool).items()}


def _descriptors(pool: Any) -> dict[str, Any]:
    return {name: pool.FindMessageTypeByName(f"{PACKAGE}.{name}") for name in FIELDS}


def _file_descriptor() -> bytes:
    """A serialized FileDescriptorProto; by hand, since its own module is slow to import."""
    messages = b"".join(_nested(4, _message(name, text)) for name, text in FIELDS.items())
    return _nested(1, b"graphprobe.proto") + _nested(2, PACKAGE.encode()) + messages


def _message(name: str, text: str) -> bytes:
    fields = (_field(*field.split()) for field in text.split(","))
    return _nested(1, name.encode()) + b"".join(_nested(2, field) for field in fields)


def _field(kind: str, name: str, number: str) -> bytes:
    label, kind = kind[0], kind[1:]
    parts = [_nested(1, name.encode()), _number(3, int(number)), _number(4, _LABELS[label])]
    parts.append(_number(5, _TYPES.get(kind, _TYPES["message"])))
    if kind not in _TYPES:
        parts.append(_nested(6, f".{PACKAGE}.{kind}".encode()))
    return b"".join(parts)


def _number(field: int, value: int) -> bytes:
    return bytes((field << 3, value))


def _nested(field: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))
    return bytes((field << 3 | 2,)) + length + content
