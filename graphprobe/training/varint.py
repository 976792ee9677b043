"""Numbers as protocol buffers write them."""

from __future__ import annotations


def varint(value: int) -> bytes:
    """An unsigned number, 7 bits a byte, low bits first.

    Source: "Encoding", protobuf.dev.
    """
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
