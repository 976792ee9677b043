"""Unpack an archive of weights: plain files below one folder, and nothing else."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from graphprobe.errors import CheckpointError

SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
# Larger than any published set of weights; a small archive may claim to hold anything.
MOST_BYTES = 20_000_000_000
MOST_FILES = 100_000
# What tarfile and the formats below it raise on damaged files.
_DAMAGED = (tarfile.TarError, EOFError, ValueError, zlib.error, lzma.LZMAError)


def is_archive(path: Path) -> bool:
    """Whether a file's name is that of a tar archive."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(path: Path) -> Path:
    """Unpack a tar beside itself, whole or not at all; a folder that is there already is taken.

    Returns:
        the folder of its files; where it holds a single folder, that one.

    Raises:
        CheckpointError: it is damaged, leaves its folder, or claims to be too large.
        OSError: it cannot be written.
    """
    folder = _folder_of(path)
    if not folder.is_dir():
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".unpack-"))
        try:
            _extract(path, temporary / "files")
            (temporary / "files").replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def remove_unpacked(path: Path) -> None:
    """Remove what an archive was unpacked to, because another one takes its place."""
    if _folder_of(path).is_dir():
        shutil.rmtree(_folder_of(path))


def _folder_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.files")


def _extract(path: Path, target: Path) -> None:
    target.mkdir()
    try:
        with tarfile.open(path) as archive:
            for member, place in _files(archive, target, path):
                place.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None  # noqa: S101 - _files gives plain files
                with content, place.open("xb") as file:
                    shutil.copyfileobj(content, file)
    except (*_DAMAGED, FileExistsError) as error:
        raise CheckpointError(
            f"cannot be unpacked ({error})", where=str(path), hint="delete it and try again"
        ) from error


def _files(
    archive: tarfile.TarFile, target: Path, path: Path
) -> Iterator[tuple[tarfile.TarInfo, Path]]:
    """Each plain file with its place; links and devices are left out."""
    size = 0
    for count, member in enumerate(archive):
        name = PurePosixPath(member.name)
        size += member.size
        if name.is_absolute() or ".." in name.parts:
            problem = f"holds {member.name}, which lies outside of it"
        elif size > MOST_BYTES or count >= MOST_FILES:
            problem = f"holds more than {MOST_BYTES:,} bytes or {MOST_FILES:,} files"
        else:
            problem = ""
        if problem:
            raise CheckpointError(problem, where=str(path), hint="name other weights")
        # What macOS puts beside every file is none of the weights.
        if member.isfile() and not name.name.startswith("._"):
            yield member, target.joinpath(*name.parts)
