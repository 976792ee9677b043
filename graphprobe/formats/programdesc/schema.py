"""The messages of framework.proto as Python classes.

``framework.binpb`` is framework.proto compiled by ``tools/proto.py``. protoc can also generate a
Python module, but most of what that imports is not needed for decoding. CPU time from import to the
first class, with protobuf 6.33: the generated module 26 ms, protobuf's public interface 22 ms, the
two types of its C extension that both end in 10 ms. A whole ``vars`` takes 70 ms, so the last is
used where that extension is installed, else the public interface.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "graphprobe.wire"


def message_class(name: str) -> Any:
    """The class of a message of the schema, as ``ProgramDesc``."""
    return message_classes()[name]


@cache
def message_classes() -> dict[str, Any]:
    """The class of each message by its name, made the fast way where this protobuf has it."""
    from google.protobuf.message import Message

    try:
        from google._upb._message import DescriptorPool, MessageMeta
    except ImportError:
        return public_message_classes()
    file = DescriptorPool().AddSerializedFile(_file_descriptor())  # type: ignore[no-untyped-call]
    return {
        name: MessageMeta(name, (Message,), {"DESCRIPTOR": descriptor, "__module__": None})
        for name, descriptor in file.message_types_by_name.items()
    }


def public_message_classes() -> dict[str, Any]:
    """The same through protobuf's public interface, for its other implementations."""
    from google.protobuf import descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(_file_descriptor())  # type: ignore[no-untyped-call]
    if hasattr(message_factory, "GetMessageClass"):
        make = message_factory.GetMessageClass
    else:  # protobuf before 4.22
        make = message_factory.MessageFactory(pool).GetPrototype  # type: ignore[attr-defined]
    names = pool.FindFileByName("framework.proto").message_types_by_name  # type: ignore[no-untyped-call]
    return {name: make(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in names}  # type: ignore[no-untyped-call]


def _file_descriptor() -> bytes:
    """The one FileDescriptorProto of the set: what follows its tag and its length."""
    content = Path(__file__).with_name("framework.binpb").read_bytes()
    at = 1
    while content[at] & 0x80:
        at += 1
    return content[at + 1 :]
