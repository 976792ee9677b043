"""Unpack an archive of weights: plain files below one folder, and nothing else.

An archive is untrusted. Before anything is written or kept in memory it has a bound: the bytes of
all files, their number, the bytes of one header. The whole compressed stream is read, so that its
checksum at the end is verified, and the files are held against their own sums when they are used
again.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import json
import lzma
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Any

from graphprobe.errors import CheckpointError
from graphprobe.files import write_whole
from graphprobe.training.weights.checkpoint import file_sha256

SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
# Weights hardly compress: a published archive unpacks to about 1.1 times its size.
FREE_BYTES = 1_000_000_000
MOST_TIMES = 20
MOST_FILES = 10_000
MOST_DEPTH = 32
# Names of a file in headers of their own; Python would read one of any size into memory.
HEADER_BYTES = 1 << 20
XZ_MEMORY = 256 << 20

_BLOCK = 1 << 16
_ZEROS = 1 << 20  # what may follow the last file
# What the decoders and tarfile raise on damaged files.
_DAMAGED = (tarfile.TarError, EOFError, ValueError, OSError, zlib.error, lzma.LZMAError)
# A file where a folder is to be, and a name that is too long or not one of the file system.
_IN_NAMES = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EILSEQ)


class _Refused(Exception):
    """What is wrong with an archive, for the caller to name it."""


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of a tar archive."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(path: Path) -> Path:
    """Unpack a tar beside itself, whole or not at all; a folder that is there already is taken.

    Returns:
        the folder of its files; where it holds a single folder, that one.

    Raises:
        CheckpointError: it is damaged, leaves its folder, or is too large.
        OSError: it cannot be written.
    """
    folder = _folder_of(path)
    if not _is_whole(folder):
        remove_unpacked(path)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".unpack-"))
        try:
            sums = _extract(path, temporary / "files")
            (temporary / "files").replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        write_whole(_sums_of(folder), json.dumps(sums, indent=1, sort_keys=True))
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def remove_unpacked(path: Path) -> None:
    """Remove what an archive was unpacked to, because another one takes its place."""
    folder = _folder_of(path)
    _sums_of(folder).unlink(missing_ok=True)
    if folder.is_dir():
        shutil.rmtree(folder)


def _folder_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.files")


def _sums_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _is_whole(folder: Path) -> bool:
    """Whether the files are those that were unpacked, with their sums."""
    try:
        sums = json.loads(_sums_of(folder).read_text(encoding="utf-8"))
        there = {
            str(path.relative_to(folder)): file_sha256(path)
            for path in folder.rglob("*")
            if path.is_file()
        }
    except (OSError, ValueError):
        return False
    return bool(there == sums)


def _extract(path: Path, target: Path) -> dict[str, str]:
    """Write the files below `target`; their sums by name."""
    target.mkdir()
    most = max(FREE_BYTES, MOST_TIMES * path.stat().st_size)
    try:
        with path.open("rb") as file:
            return _copy_files(_Reader(file, most), target)
    except (_Refused, *_DAMAGED) as error:
        if isinstance(error, OSError) and error.errno not in (None, *_IN_NAMES):
            raise  # the disk's, not the archive's
        hint = "delete it and try again, or name other weights"
        raise CheckpointError(
            f"cannot be unpacked ({error})", where=str(path), hint=hint
        ) from error


def _copy_files(reader: _Reader, target: Path) -> dict[str, str]:
    sums: dict[str, str] = {}
    # A stream: tarfile never seeks, so that every byte goes through the reader once.
    with tarfile.open(fileobj=reader, mode="r|", tarinfo=_Header) as archive:  # type: ignore[call-overload]
        count = skipped = 0
        while True:
            reader.allow(HEADER_BYTES + _BLOCK + skipped)
            member = archive.next()
            if member is None:
                break
            count += 1
            place = _place_of(member, target, count)
            content = archive.extractfile(member) if member.isreg() else None
            skipped = member.size if content is None or place is None else 0
            if content is None or place is None:
                continue
            reader.allow(member.size + _BLOCK)
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                raise _Refused(f"it holds {member.name[:80]} twice")
            with content, place.open("xb") as file:
                shutil.copyfileobj(content, file, _BLOCK)
            sums[str(place.relative_to(target))] = file_sha256(place)
    reader.finish()
    return sums


def _place_of(member: tarfile.TarInfo, target: Path, count: int) -> Path | None:
    """Where a file goes; None for what macOS puts beside every file."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise _Refused(f"it holds {member.name[:80]}, which lies outside of it")
    if count > MOST_FILES or len(name.parts) > MOST_DEPTH:
        raise _Refused(f"it holds more than {MOST_FILES:,} files or {MOST_DEPTH} folders deep")
    if getattr(member, "sparse", None) is not None:
        raise _Refused("it holds a sparse file")
    return None if name.name.startswith("._") else target.joinpath(*name.parts)


class _Header(tarfile.TarInfo):
    """A header of bounded size; links, devices and the like carry no content."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        """Read one block."""
        found = super().frombuf(buf, encoding, errors)
        if found.type == tarfile.GNUTYPE_SPARSE:
            raise _Refused("it holds a sparse file")
        names = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
        pax = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
        if found.type in (*names, *pax) and not 0 <= found.size <= HEADER_BYTES:
            raise _Refused(f"it holds a header of {found.size:,} bytes")
        return found


class _Reader:
    """The unpacked bytes of a file, counted.

    Args:
        file: the archive.
        most: bytes that it may unpack to.
    """

    def __init__(self, file: IO[bytes], most: int) -> None:
        head = file.read(6)
        file.seek(0)
        self._stream: Any = file
        if head.startswith(b"\x1f\x8b"):
            self._stream = gzip.GzipFile(fileobj=file)
        elif head.startswith(b"BZh"):
            self._stream = bz2.BZ2File(file)
        elif head == b"\xfd7zXZ\x00":
            self._stream = _Xz(file)
        self._left, self._most, self._allowed = most, most, HEADER_BYTES + _BLOCK

    def allow(self, count: int) -> None:
        """Let so many bytes be read until the next call."""
        self._allowed = count

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end, whose checksum is right then."""
        data: bytes = self._stream.read(size)
        self._left -= len(data)
        self._allowed -= len(data)
        if self._left < 0:
            raise _Refused(f"it unpacks to more than {self._most:,} bytes")
        if self._allowed < 0:
            raise _Refused("one of its headers has no end")
        return data

    def finish(self) -> None:
        """Read to the end, which is where the checksum of the stream stands."""
        self.allow(_ZEROS)
        while data := self.read(_BLOCK):
            if data.strip(b"\0"):
                raise _Refused("something follows its last file")


class _Xz:
    """An .xz file with a bound on the memory of its dictionary, which lzma.open has not."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end."""
        while not self._decoder.eof:
            more = self._file.read(_BLOCK) if self._decoder.needs_input else b""
            if self._decoder.needs_input and not more:
                raise EOFError("it ends in the middle")
            data = self._decoder.decompress(more, size)
            if data:
                return data
        return b""
