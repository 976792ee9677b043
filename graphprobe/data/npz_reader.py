"""Read .npz files from anywhere: what a header claims is held against the bytes that are there.

``numpy.load`` takes memory for what a header claims before it looks at the bytes.
"""

from __future__ import annotations

import ast
import os
import stat
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.errors import DataError

MOST_BYTES = 4_000_000_000
MOST_ARRAYS = 20_000
# Compressed weights are about as large as their arrays, but those of zeros are small.
FREE_BYTES = 1_000_000_000
MOST_TIMES = 20
_HEADER_BYTES = 10_000
# The list of the arrays, of MOST_ARRAYS with names of some 350 characters, and how far from the end
# it is announced at most: with a comment of 64 KiB.
_DIRECTORY_BYTES = 8_000_000
_END_BYTES = 65_535 + 22 + 76
_MAGIC = b"\x93NUMPY"
# What zipfile raises on damaged files; a RuntimeError on encrypted ones.
_DAMAGED = (
    *(OSError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError, MemoryError),
    *(RuntimeError, SyntaxError, zipfile.BadZipFile, zlib.error),
)


def read_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read an .npz file whole; every array is held against its checksum.

    Raises:
        DataError: it is missing, damaged, encrypted, too large, or holds Python objects.
    """
    try:
        refuse_special_files(path)
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                raise ValueError("it is one array without a name, as numpy.save writes it")
            if _directory_size(file) > _DIRECTORY_BYTES:
                raise ValueError("its list of arrays is too long")
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check_bounds(infos, path.stat().st_size)
            return {_name_of(info): _read_member(archive, info) for info in infos}
    except FileNotFoundError:
        raise DataError("no such file", where=str(path)) from None
    except _DAMAGED as error:
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"cannot be read as an .npz file ({text})",
            where=str(path),
            hint="it is damaged or not an .npz file; numpy.savez writes one",
        ) from error


def refuse_special_files(path: Path) -> None:
    """Refuse what is there and no regular file: a FIFO would wait for a writer for ever.

    Raises:
        ValueError: it is one.
        OSError: it is missing or may not be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is no regular file")


def _directory_size(file: IO[bytes]) -> int:
    """The bytes of the list at a zip's end, all of which zipfile reads into memory."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_BYTES))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        return 0  # no zip, as zipfile will have it
    wide = at - 76  # where the record of a zip of more than 4 GB begins, before its locator of 20
    if wide >= 0 and tail[wide : wide + 4] == b"PK\x06\x06":
        return int.from_bytes(tail[wide + 40 : wide + 48], "little")
    return int.from_bytes(tail[at + 12 : at + 16], "little")


def _check_bounds(infos: list[zipfile.ZipInfo], packed: int) -> None:
    total = sum(info.file_size for info in infos)
    most = min(MOST_BYTES, max(FREE_BYTES, MOST_TIMES * packed))
    if len(infos) > MOST_ARRAYS or total > most:
        raise ValueError(f"it holds more than {most:,} bytes or {MOST_ARRAYS:,} arrays")
    names = [_name_of(info) for info in infos]
    if len(set(names)) < len(names):
        raise ValueError("two of its arrays have one name")
    for info in infos:
        if info.flag_bits & 1:
            raise ValueError("it is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{info.filename[:60]} is compressed in a way that numpy does not use")


def _name_of(info: zipfile.ZipInfo) -> str:
    return info.filename.removesuffix(".npy")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[np.generic]:
    # Reads to the end, where the checksum is verified; never more than the size that was bounded.
    data = archive.read(info)
    name = info.filename[:60]
    if data[:6] != _MAGIC or len(data) < 12:
        raise ValueError(f"{name} is no array")
    wide = data[6] >= 2  # version 1.0 has two bytes for the length of its header
    start = 12 if wide else 10
    length = int.from_bytes(data[8:start], "little")
    if length > _HEADER_BYTES or start + length > len(data):
        raise ValueError(f"{name} has a header of {length:,} bytes")
    dtype, fortran, shape = _parse_header(data[start : start + length], name)
    if prod(shape) * dtype.itemsize != len(data) - start - length:
        raise ValueError(f"{name} has not the bytes of its shape {shape}")
    found = np.frombuffer(data, dtype, offset=start + length)
    return found.reshape(shape, order="F" if fortran else "C").copy(order="K")


def _parse_header(text: bytes, name: str) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    header = ast.literal_eval(text.decode("utf-8").strip())  # constants alone; nothing is run
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise ValueError(f"the header of {name} is damaged")
    descr, shape = header["descr"], header["shape"]
    if not isinstance(descr, str) or np.dtype(descr).kind not in "biufc":
        raise ValueError(f"{name} holds no numbers")
    good = isinstance(shape, tuple) and len(shape) <= 32
    if not good or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError(f"the header of {name} is damaged")
    return np.dtype(descr), header["fortran_order"] is True, shape
