"""Archives of weights: whole, damaged, hostile, changed after they were unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import numpy as np
import pytest

from graphprobe.errors import CheckpointError
from graphprobe.training.weights import unpack as module
from graphprobe.training.weights.unpack import is_archive, remove_unpacked, unpack

RANDOM = np.random.default_rng(0).bytes(5000)
FILES = {"net/a": RANDOM, "net/._a": b"2", "net/b/c": b"3"}
PACK = {".tar": bytes, ".tgz": gzip.compress, ".tar.bz2": bz2.compress, ".tar.xz": lzma.compress}


def tar(files: dict[str, bytes], *more: tarfile.TarInfo, form: int = tarfile.GNU_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in more:
            archive.addfile(member, io.BytesIO(b"\0" * member.size))
    return stream.getvalue()


def made(tmp_path: Path, content: bytes, suffix: str = ".tar") -> Path:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(PACK[suffix](content))
    return path


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("suffix", sorted(PACK))
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_plain_files_are_unpacked(tmp_path: Path, suffix: str, form: int) -> None:
    link = tarfile.TarInfo("net/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    long = "net/" + "n" * 150
    folder = unpack(made(tmp_path, tar({**FILES, long: b"4"}, link, form=form), suffix))
    assert is_archive(tmp_path / f"w{suffix}") and folder.name == "net"
    assert names(folder) == {"a", "b/c", "n" * 150}
    assert (folder / "a").read_bytes() == RANDOM


@pytest.mark.parametrize("suffix", [".tgz", ".tar.bz2", ".tar.xz"])
def test_every_byte_of_a_compressed_archive_counts(tmp_path: Path, suffix: str) -> None:
    whole = PACK[suffix](tar(FILES))
    path = tmp_path / f"w{suffix}"
    # The head of a gzip file holds its time, the last byte of a bz2 file bits that fill it up.
    places = [*range(len(whole) - 12, len(whole) - 1), len(whole) // 2, len(whole) // 3]
    for at in places:
        data = bytearray(whole)
        data[at] ^= 1
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match="cannot be unpacked"):
            unpack(path)
    for size in (len(whole) - 1, len(whole) - 8, len(whole) // 2, 20):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match="cannot be unpacked"):
            unpack(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["../out", "/usr/out", "net/../../out"])
def test_an_archive_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "deep").mkdir()
    with pytest.raises(CheckpointError, match="lies outside of it"):
        unpack(made(tmp_path / "deep", tar({name: b"1"})))
    assert not list(tmp_path.rglob("out"))


def test_bounds_hold_before_anything_is_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "FREE_BYTES", 1 << 20)
    bomb = made(tmp_path, tar({"a": b"\0" * (3 << 20)}), ".tgz")
    assert bomb.stat().st_size * module.MOST_TIMES < 1 << 20
    with pytest.raises(CheckpointError, match="it unpacks to more than 1,048,576 bytes"):
        unpack(bomb)
    monkeypatch.setattr(module, "MOST_FILES", 3)
    with pytest.raises(CheckpointError, match="it holds more than 3 files"):
        unpack(made(tmp_path, tar({f"f{n}": b"" for n in range(4)})))
    with pytest.raises(CheckpointError, match="32 folders deep"):
        unpack(made(tmp_path, tar({"a/" * 40 + "b": b""})))
    with pytest.raises(CheckpointError, match="it holds a twice"):
        unpack(made(tmp_path, tar({"a": b"1"}, tarfile.TarInfo("a"))))
    assert {path.suffix for path in tmp_path.iterdir()} == {".tgz", ".tar"}


def test_headers_have_a_bound(tmp_path: Path, monkeypatch) -> None:
    for kind in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE):
        head = tarfile.TarInfo("x")
        head.type, head.size = kind, 2 << 20
        raw = head.tobuf(tarfile.USTAR_FORMAT) + b"n" * head.size + b"\0" * 1024
        with pytest.raises(CheckpointError, match="a header of 2,097,152 bytes"):
            unpack(made(tmp_path, raw, ".tgz"))
    # A sparse map of format 1.0 stands where the content does, and Python reads it all.
    pax = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}
    member = tarfile.TarInfo("s")
    member.size, member.pax_headers = 9 << 20, pax
    with tarfile.open(tmp_path / "w.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(b"999999999\n" + b"1\n" * (9 << 19)))
    with pytest.raises(CheckpointError, match="one of its headers has no end|sparse"):
        unpack(tmp_path / "w.tar")


def test_a_large_file_that_is_left_out(tmp_path: Path) -> None:
    folder = unpack(made(tmp_path, tar({"n/._big": b"x" * (3 << 20), "n/a": b"1"})))
    assert names(folder) == {"a"}


def test_sparse_files_are_refused(tmp_path: Path) -> None:
    head = tarfile.TarInfo("x")
    head.type, head.size = tarfile.GNUTYPE_SPARSE, 512
    raw = head.tobuf(tarfile.GNU_FORMAT) + b"\0" * 2048
    with pytest.raises(CheckpointError, match="it holds a sparse file"):
        unpack(made(tmp_path, raw))


def test_what_was_changed_is_unpacked_again(tmp_path: Path) -> None:
    path = made(tmp_path, tar(FILES))
    folder = unpack(path)
    before = (folder / "a").stat().st_mtime_ns
    assert unpack(path) == folder and (folder / "a").stat().st_mtime_ns == before
    (folder / "a").write_bytes(b"other")
    assert (unpack(path) / "a").read_bytes() == RANDOM
    (folder / "more").write_bytes(b"")
    assert names(unpack(path)) == {"a", "b/c"}
    remove_unpacked(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["w.tar"]


def test_what_follows_the_last_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="something follows its last file"):
        unpack(made(tmp_path, tar(FILES) + b"\0" * 20_000 + b"more"))


@pytest.mark.parametrize("files", [{"d": b"1", "d/e": b"2"}, {"n" * 300: b"1"}])
def test_names_that_no_folder_can_hold_are_the_archives_fault(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    path = made(tmp_path, tar(files))
    with pytest.raises(CheckpointError, match="cannot be unpacked"):
        unpack(path)
    assert list(tmp_path.iterdir()) == [path]
