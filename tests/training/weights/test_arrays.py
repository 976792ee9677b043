"""npz files: what numpy writes is read, what is damaged or hostile is one line."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprobe.data import npz_reader as module
from graphprobe.errors import CheckpointError
from graphprobe.training.weights.arrays import read_arrays
from graphprobe.training.weights.read import read_weights

RNG = np.random.default_rng(0)
ARRAYS: dict[str, Any] = {
    "conv/weights": RNG.random((4, 3, 3, 3), np.float32),
    "fortran": np.asfortranarray(RNG.random((5, 7))),
    "big": RNG.random(3).astype(">f4"),
    "scalar": np.array(2.0),
    "empty": np.zeros((0, 3), np.int64),
    "flag": np.array([True, False]),
}


@pytest.mark.parametrize("wide", [False, True])
def test_a_list_of_arrays_without_end_is_not_read(tmp_path: Path, wide: bool) -> None:
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 9, 5, *[0] * 6) + b"a.npy"
    listed = entry * 200_000
    count = 0xFFFF if wide else 200_000 % 0xFFFF
    size = 0xFFFFFFFF if wide else len(listed)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, 0, 0)
    if wide:
        numbers = (44, 45, 45, 0, 0, 200_000, 200_000, len(listed), 0)
        tail = struct.pack("<4sLQL", b"PK\6\7", 0, len(listed), 1) + tail
        tail = struct.pack("<4sQ2H2L4Q", b"PK\6\6", *numbers) + tail
    (tmp_path / "w.npz").write_bytes(listed + tail)
    with pytest.raises(CheckpointError, match="its list of arrays is too long"):
        read_arrays(tmp_path / "w.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes(tmp_path: Path, save: Any) -> None:
    save(tmp_path / "w.npz", **ARRAYS)
    found = read_arrays(tmp_path / "w.npz")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype and found[name].flags.writeable


def npy(header: str, data: bytes = b"", version: bytes = b"\1\0") -> bytes:
    text = header.encode()
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + data


def packed(path: Path, content: bytes, how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("w.npy", content)
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (10**15,)}"), "malformed|damaged"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999,)}"), "its shape"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "damaged"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"c" * 8), "no numbers"),
        (npy("{'descr': '<f4', 'shape': (1,)}", b"abcd"), "header of w.npy is damaged"),
        (npy("(" * 5000), "cannot be read"),
        (npy("{'descr': '<f4"), "cannot be read"),
        (npy("__import__('os').abort()"), "cannot be read"),
        (b"\x93NUMPY\1\0\xff\xff", "w.npy is no array|has a header of"),
        (b"plain text", "w.npy is no array"),
    ],
)
def test_headers_that_lie(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        read_arrays(packed(tmp_path / "w.npz", content))


def test_other_files_by_that_name(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    with path.open("wb") as file:
        np.save(file, ARRAYS["big"])
    with pytest.raises(CheckpointError, match="one array without a name"):
        read_arrays(path)
    good = io.BytesIO()
    np.save(good, ARRAYS["big"])
    with pytest.raises(CheckpointError, match="a way that numpy does not use"):
        read_arrays(packed(path, good.getvalue(), zipfile.ZIP_LZMA))
    data = bytearray(packed(path, good.getvalue()).read_bytes())
    data[6] |= 1  # encrypted, in the file's own head and in the list at the end
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="it is encrypted"):
        read_arrays(path)
    os.mkfifo(tmp_path / "fifo.npz")
    with pytest.raises(CheckpointError, match="no regular file"):
        read_arrays(tmp_path / "fifo.npz")


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FREE_BYTES", 1 << 20)
    np.savez_compressed(tmp_path / "w.npz", a=np.zeros(10 << 20, np.uint8))
    with pytest.raises(CheckpointError, match="more than 1,048,576 bytes"):
        read_arrays(tmp_path / "w.npz")
    monkeypatch.setattr(module, "MOST_ARRAYS", 2)
    np.savez(tmp_path / "w.npz", a=1, b=2, c=3)
    with pytest.raises(CheckpointError, match="or 2 arrays"):
        read_arrays(tmp_path / "w.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damage_is_noticed(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "w.npz"
    save(path, **ARRAYS)
    whole = path.read_bytes()
    for _ in range(400):
        data = bytearray(whole)
        for at in RNG.integers(0, len(whole), 3):
            data[at] = RNG.integers(256)
        path.write_bytes(data)
        try:
            found = read_arrays(path)
        except CheckpointError as error:
            assert "\n" not in str(error)
            continue
        # Names and dates may be damaged; content that is read is what was written.
        kept = [array for array in found.values() if array.size]
        assert all(any(np.array_equal(a, b) for b in ARRAYS.values()) for a in kept)


def test_nan_is_named(tmp_path: Path) -> None:
    broken = np.array([1, np.nan, np.inf], np.float32)
    np.savez(tmp_path / "w.npz", good=np.ones(2), bad=broken, count=np.array([1]))
    with pytest.raises(CheckpointError, match=r"1 parameters hold NaN or infinity: bad \(2 of 3\)"):
        read_weights(tmp_path / "w.npz", {})
