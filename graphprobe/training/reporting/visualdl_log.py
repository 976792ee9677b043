"""Scalars in the log format of VisualDL, which ``visualdl --logdir`` shows.

The format is a row of records: the length of one as an unsigned 64 bit number, low byte first,
then the record, a protocol buffer (visualdl/proto/record.proto of VisualDL 2.5). It is written
here because the package brings 25 others, makes a folder in the user's home when it is imported,
and cannot go back to the iteration that a resumed run starts from.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from graphprobe.files import write_whole
from graphprobe.training.weights.lod_tensor import varint

_VARINT, _BYTES, _FLOAT = 0, 2, 5  # wire types
_VALUES = 1  # of a record, and the fields of one:
_STEP, _TAG, _TIME, _VALUE, _META = 1, 2, 3, 4, 10


class ScalarLog:
    """The file of a run's curves.

    Args:
        path: made with its folder; a file that is there is gone on with.
        start: the iteration that the run goes on from; what lies behind it is dropped.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, start: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.exists() else b""
        kept = (record for record in records(before) if 0 < step_of(record) <= start)
        write_whole(path, b"".join([_head(), *kept]))
        self._file = path.open("ab", buffering=0)

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Add a point to each of some curves, named as ``loss/total``."""
        now = int(time.time() * 1000)
        self._file.write(b"".join(_scalar(tag, v, step, now) for tag, v in scalars.items()))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def records(content: bytes) -> Iterator[bytes]:
    """The records of a file, each with its length before it; one that was cut ends them."""
    at = 0
    while at + 8 <= len(content):
        end = at + 8 + int(struct.unpack_from("<Q", content, at)[0])
        if end > len(content):
            return
        yield content[at:end]
        at = end


def step_of(record: bytes) -> int:
    """The step of a record that this module wrote: the first field of its value."""
    _, at = _read_varint(record, 9)  # behind the record's length and the key of the value
    step, _ = _read_varint(record, at + 1)
    return step


def _head() -> bytes:
    """What VisualDL wants first in a file."""
    name = _bytes(_TAG, b"meta_data_tag")
    return _record(_number(_STEP, 0) + name + _number(_TIME, 0) + _bytes(_META, b""))


def _scalar(tag: str, value: float, step: int, milliseconds: int) -> bytes:
    place = _number(_STEP, step) + _bytes(_TAG, tag.encode()) + _number(_TIME, milliseconds)
    return _record(place + _key(_VALUE, _FLOAT) + struct.pack("<f", value))


def _record(value: bytes) -> bytes:
    body = _bytes(_VALUES, value)
    return struct.pack("<Q", len(body)) + body


def _bytes(field: int, content: bytes) -> bytes:
    return _key(field, _BYTES) + varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _key(field, _VARINT) + varint(value)


def _key(field: int, wire_type: int) -> bytes:
    return varint(field << 3 | wire_type)


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    """A number and the place behind it."""
    value = shift = 0
    while True:
        part = content[at]
        value |= (part & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if part < 0x80:
            return value, at
