"""Ways to damage a program: its bytes, its protobuf fields, its json."""

from __future__ import annotations

import bisect
import json
import random
from typing import Any

from google.protobuf.message import DecodeError

from graphprobe.formats.programdesc.schema import message_class

INTEGERS = (0, 1, -1, 2, 7, 255, 2**31 - 1, -(2**31), 2**32, 2**62, 2**63 - 1, -(2**63))
NAMES = (b"", b"\xff\xfe", b"x", b"image", b"feed", b"\x1b[2J", "图".encode(), b"a" * 5000)
# Types and attributes that the readers treat in a way of their own.
WORDS = (b"feed", b"fetch", b"while", b"sub_block", b"conv2d", b"col", b"op_role", b"@EMPTY@")
TEXTS = ("", "x", "0.combine", "0.split", "0.slice", "1.if", "1.while", "2.yield", "1.data", "p",
         "1.full", "1.full_int_array", "1.fetch", "0.t_vec", "0.t_dtensor", "a.b.c", "\ud800",
         "NaN", "1.a_scalar", "0.a_array", "nonsense")  # fmt: skip


def mutate(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Damage `data` once or a few times; `other` may lend pieces."""
    for _ in range(1 + min(rng.getrandbits(3), rng.getrandbits(3))):
        kind = rng.randrange(3)
        if kind == 0:
            data = mutate_bytes(data, other, rng)
        elif data[:1] == b"{":
            data = mutate_json(data, rng)
        else:
            data = mutate_message(data, rng)
    return data


def mutate_bytes(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Change, drop, double, insert or cut bytes, whatever they mean."""
    if not data:
        return other
    at = rng.randrange(len(data))
    end = min(len(data), at + 1 + int(rng.expovariate(0.1)))
    choice = rng.randrange(7)
    if choice == 0:
        return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]
    if choice == 1:
        return data[:at] + data[end:]
    if choice == 2:
        return data[:end] + data[at:end] * rng.choice((1, 3, 50)) + data[end:]
    if choice == 3:
        return data[:at] + rng.randbytes(end - at) + data[end:]
    if choice == 4:
        return data[:at] + other[rng.randrange(len(other) + 1) :]
    if choice == 5:
        return data[:at] + varint(rng.choice(INTEGERS)) + data[at + 1 :]
    return data[:at]


def varint(value: int) -> bytes:
    """Protobuf's encoding of an integer; negative ones take ten bytes."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


def mutate_message(data: bytes, rng: random.Random) -> bytes:
    """Change one field of one message, anywhere in the tree."""
    desc = message_class("ProgramDesc")()
    try:
        desc.ParseFromString(data)
    except DecodeError:
        return data
    message = desc
    while True:
        inside = [value for _, value in message.ListFields() if _is_message(value)]
        if not inside or rng.randrange(6) == 0:
            break
        value = rng.choice(inside)
        message = value if hasattr(value, "ListFields") else rng.choice(value)
    change_field(message, rng)
    return desc.SerializePartialToString()


def _is_message(value: Any) -> bool:
    first = value if hasattr(value, "ListFields") else _first(value)
    return hasattr(first, "ListFields")


def _first(value: Any) -> Any:
    return value[0] if not isinstance(value, (bytes, int, float)) and len(value) else None


def change_field(message: Any, rng: random.Random) -> None:
    """Clear, set, add to, double or shuffle one field."""
    field = rng.choice(message.DESCRIPTOR.fields)
    if rng.randrange(8) == 0:
        message.ClearField(field.name)
        return
    is_message = field.message_type is not None
    value = None if is_message else scalar(field, rng)
    held = getattr(message, field.name)
    if hasattr(held, "append") and len(held) and rng.randrange(2):
        _rearrange(message, field.name, held, rng)
    elif hasattr(held, "append"):
        held.add() if is_message else held.append(value)
    elif is_message:
        held.SetInParent()
    else:
        setattr(message, field.name, value)


def _rearrange(message: Any, name: str, held: Any, rng: random.Random) -> None:
    items = list(held)
    at = rng.randrange(len(items))
    choice = rng.randrange(4)
    if choice == 0:
        items.pop(at)
    elif choice == 1:
        items[at:at] = [items[at]] * rng.choice((1, 2, 40))
    elif choice == 2:
        rng.shuffle(items)
    else:
        items = items[at:] + items[:at]
    copies = [type(i).FromString(i.SerializePartialToString()) for i in items] if hasattr(
        items[0] if items else None, "ListFields") else items  # fmt: skip
    message.ClearField(name)
    getattr(message, name).extend(copies)


def scalar(field: Any, rng: random.Random) -> Any:
    """A value for a field: small, extreme or special."""
    if field.cpp_type == field.CPPTYPE_STRING:
        return rng.choice(NAMES + WORDS)
    if field.cpp_type == field.CPPTYPE_BOOL:
        return bool(rng.getrandbits(1))
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return rng.choice((0.0, -1.0, 1e38, float("nan"), float("inf")))
    value = rng.choice(INTEGERS) if rng.randrange(2) else rng.randrange(-2, 40)
    return max(-(2**31), min(2**31 - 1, value)) if field.cpp_type == field.CPPTYPE_INT32 else value


def mutate_json(data: bytes, rng: random.Random) -> bytes:
    """Replace, drop or double one node of a json document, each as likely as any other."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return data
    place = _a_place(document, rng)
    if place is None:
        return data
    change_node(*place, document, rng)
    return json.dumps(document).encode()


def _a_place(document: Any, rng: random.Random) -> tuple[Any, Any] | None:
    """One node of a document but the root, each as likely: what holds it, and under which key."""
    holders, ends, count = [], [], 0
    stack = [document]
    while stack:
        holder = stack.pop()
        count += len(holder)
        holders.append(holder)
        ends.append(count)
        values = holder if type(holder) is list else holder.values()
        stack += [value for value in values if type(value) is dict or type(value) is list]
    if not count:
        return None
    number = rng.randrange(count)
    index = bisect.bisect_right(ends, number)
    holder = holders[index]
    at = number - ends[index] + len(holder)
    return holder, at if type(holder) is list else list(holder)[at]


def change_node(holder: Any, key: Any, document: Any, rng: random.Random) -> None:
    """Put something else in the place of a node."""
    choice = rng.randrange(6)
    if choice == 0:
        del holder[key]
    elif choice == 1 and isinstance(holder, list):
        holder[key:key] = [holder[key]] * rng.choice((1, 2, 40))
    elif choice == 2:
        holder[key] = rng.choice(INTEGERS + (10**19, 1e400, 0.5))
    elif choice == 3:
        holder[key] = rng.choice(TEXTS)
    elif choice == 4:
        holder[key] = rng.choice((None, True, [], {}, [[]], {"#": "0.a_array", "D": [1]}))
    else:
        # A copy of a part of the document: regions in regions, ops in types.
        holder[key] = json.loads(json.dumps(rng.choice(_parts(document))))


def _parts(document: Any) -> list[Any]:
    regions = document.get("program", {}) if isinstance(document, dict) else {}
    blocks = regions.get("regions") if isinstance(regions, dict) else None
    return [regions, blocks, {"#": "0.t_vec", "D": blocks}]
