"""Read and write Paddle's tensor streams in numpy: one file a parameter, or many in one file.

The stream of one tensor (paddle/fluid/framework/lod_tensor.cc, SerializeToStream), little endian:
uint32 version 0; uint64 number of LoD levels, each a uint64 byte count and its bytes; uint32
tensor version 0; int32 size of a TensorDesc message (field 1: the data type, field 2: the sizes);
that message; the raw data.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.npz_reader import refuse_special_files
from graphprobe.errors import CheckpointError
from graphprobe.formats.programdesc.types import DTYPES
from graphprobe.ir import Program

# What Paddle 1.x calls a program and its parameters in one file.
LEGACY = ("__model__", "__params__")
# A program's file name -> that of all its parameters; others have the suffix .pdiparams.
PARAMS_OF = dict([LEGACY, ("model", "params")])
_READ = ("bool", "int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64")
# numpy has no bfloat16: its 16 bits are the upper half of a float32.
_BFLOAT16 = next(number for number, name in DTYPES.items() if name == "bfloat16")
_NUMPY = {n: np.dtype(name).newbyteorder("<") for n, name in DTYPES.items() if name in _READ}


class _Stream:
    """A cursor over the bytes of a file that never reads past its end."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data, self.where, self.at = data, where, 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise self.error("ends in the middle of a tensor")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, form: str) -> int:
        value: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def error(self, message: str) -> CheckpointError:
        hint = "it is damaged or not a Paddle weights file"
        return CheckpointError(f"{message} (byte {self.at})", where=self.where, hint=hint)


def stored_shapes(program: Program) -> dict[str, tuple[int, ...]]:
    """Persistable tensors by name, sorted: the order of their records in one file."""
    found = {
        var.name: var.shape or ()
        for block in program.blocks
        for var in block.vars.values()
        if var.persistable and var.kind == "tensor"
    }
    return dict(sorted(found.items()))


def read_tensor_file(path: Path) -> NDArray[np.generic]:
    """The one tensor of a file, as Paddle 1.x writes one file a parameter."""
    return read_combined(path, [path.name])[path.name]


def read_combined(path: Path, names: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """The tensors of a combined file (``__params__``, ``.pdiparams``) in the order of `names`.

    Raises:
        CheckpointError: the file is missing, damaged, or holds another number of tensors.
    """
    try:
        refuse_special_files(path)
        stream = _Stream(path.read_bytes(), str(path))
    except ValueError as error:
        raise CheckpointError(f"cannot be read ({error})", where=str(path)) from error
    except OSError as error:
        raise CheckpointError(
            f"cannot be read ({error.strerror or error})", where=str(path)
        ) from error
    found = {name: _tensor(stream) for name in names}
    if stream.at != len(stream.data):
        raise stream.error(f"holds more than the {len(names)} tensors of its program")
    return found


def tensor_bytes(array: NDArray[np.generic]) -> bytes:
    """One tensor as a record of a combined file, or as a file of its own.

    Raises:
        CheckpointError: it is of a type that Paddle's files do not have.
    """
    code = next((n for n, kind in _NUMPY.items() if kind == array.dtype.newbyteorder("<")), None)
    if code is None:
        raise CheckpointError(f"a tensor of type {array.dtype} cannot be written")
    desc = b"\x08" + varint(code)
    desc += b"".join(b"\x10" + varint(size) for size in array.shape)
    head = struct.pack("<IQIi", 0, 0, 0, len(desc))
    return head + desc + np.ascontiguousarray(array, _NUMPY[code]).tobytes()


def _tensor(stream: _Stream) -> NDArray[np.generic]:
    if stream.number("<I") != 0:
        raise stream.error("is not a Paddle tensor stream")
    for _ in range(stream.number("<Q")):
        stream.take(stream.number("<Q"))
    if stream.number("<I") != 0:
        raise stream.error("is not a Paddle tensor stream")
    code, sizes = _tensor_desc(stream, stream.number("<i"))
    if code not in (*_NUMPY, _BFLOAT16) or any(size < 0 for size in sizes):
        raise stream.error(f"holds a tensor of unknown type {code} or sizes {sizes}")
    dtype = _NUMPY.get(code, np.dtype("<u2"))
    data = stream.take(math.prod(sizes) * dtype.itemsize)
    try:
        found = np.frombuffer(data, dtype).reshape(sizes)
        if code == _BFLOAT16:
            return (found.astype("<u4") << 16).view("<f4")
        return found.copy()
    except (ValueError, OverflowError) as error:  # more axes than numpy has, or 0 x 2^70
        raise stream.error(f"holds a tensor of {len(sizes)} sizes") from error


def _tensor_desc(stream: _Stream, size: int) -> tuple[int, list[int]]:
    """Data type and sizes from the wire form of TensorDesc; the sizes may come packed."""
    end = stream.at + size
    code, sizes = -1, []
    while stream.at < end:
        tag = _read_varint(stream)
        if tag == 0x08:
            code = _read_varint(stream)
        elif tag == 0x10:
            sizes.append(_read_varint(stream))
        elif tag == 0x12:
            stop = _read_varint(stream) + stream.at
            while stream.at < stop:
                sizes.append(_read_varint(stream))
        else:
            raise stream.error("holds a tensor description that is not understood")
    if stream.at != end:
        raise stream.error("holds a tensor description of the wrong size")
    return code, sizes


def _read_varint(stream: _Stream) -> int:
    value = shift = 0
    while shift < 70:
        byte = stream.take(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value - (1 << 64) if value >= 1 << 63 else value
        shift += 7
    raise stream.error("holds a number that does not end")


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
