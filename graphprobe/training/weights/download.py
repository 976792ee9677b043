"""Weights that a URL names: downloaded once, resumed where they broke off, checked, kept.

``https://HOST/FILE#sha256=HEX`` is refused unless its bytes have that sum; without one the sum is
told, to be written down. A file is at its final name only when it is whole, so what lies there is
never half a download. Archives (tar) are unpacked beside it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from graphprobe.errors import CheckpointError
from graphprobe.files import write_whole
from graphprobe.training.weights.checkpoint import file_sha256
from graphprobe.training.weights.transfer import Source, fetch, validator_of
from graphprobe.training.weights.unpack import is_archive, remove_unpacked, unpack

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_SUM = re.compile(r"sha256=([0-9a-fA-F]{64})")


def is_url(text: str) -> bool:
    """Whether weights are named by an address and not by a path."""
    return _SCHEME.match(text) is not None


def parse_url(text: str) -> Source:
    """Read ``https://HOST/FILE#sha256=HEX``.

    Raises:
        CheckpointError: another scheme than http and https, no host or file, or no such sum.
    """
    parts = urlsplit(text)
    if parts.scheme.lower() not in ("http", "https"):
        raise CheckpointError(
            f"{parts.scheme} is not downloaded", where=text, hint="name an http or https address"
        )
    if parts.username is not None or re.search(r"[\s\x00-\x1f]", text):
        hint = "download it by hand and name the file"
        raise CheckpointError("holds a password or a space", where=parts.hostname or "", hint=hint)
    name = re.sub(r"[^\w.-]", "_", unquote(parts.path).rpartition("/")[2]).lstrip(".")
    if not parts.hostname or not name:
        raise CheckpointError("names no file", where=text, hint="as https://HOST/FILE.tar")
    wanted = _SUM.fullmatch(parts.fragment)
    if parts.fragment and wanted is None:
        hint = "write #sha256= and its 64 hexadecimal digits"
        raise CheckpointError(f"#{parts.fragment} is no checksum", where=text, hint=hint)
    plain = parts._replace(fragment="").geturl()
    return Source(plain, None if wanted is None else wanted[1].lower(), name)


def download(text: str) -> Path:
    """The file that an address names, or the folder that its archive holds, from the cache or new.

    Raises:
        CheckpointError: not such an address, nothing there, another checksum, or no room.
    """
    source = parse_url(text)
    folder = cache_folder() / hashlib.sha256(source.url.encode()).hexdigest()[:16]
    path = folder / source.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            if not _is_there(path, source):
                _get(source, path)
            return unpack(path) if is_archive(path) else path
    except OSError as error:
        raise _failed(source, folder, error) from error


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/graphprobe/weights``, by default under ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path("~/.cache").expanduser()
    return base / "graphprobe" / "weights"


def _failed(source: Source, folder: Path, error: OSError) -> CheckpointError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room, or set XDG_CACHE_HOME to a larger disk; it goes on where it stopped"
        return CheckpointError(f"no space left in {folder}", where=source.url, hint=hint)
    reason = error.strerror or error
    return CheckpointError(f"{folder} cannot be written ({reason})", where=source.url)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process downloads; the others of the same run wait and find the file."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_there(path: Path, source: Source) -> bool:
    """Whether the cache has the file, with the sum that is wanted where one is."""
    note = _beside(path, ".sha256")
    if not path.is_file() or not note.is_file():
        return False
    return source.sha256 in (None, note.read_text(encoding="ascii").strip())


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _get(source: Source, path: Path) -> None:
    part = _beside(path, ".part")
    fetch(source, part)
    found = file_sha256(part)
    if source.sha256 not in (None, found):
        part.unlink()
        validator_of(part).unlink(missing_ok=True)
        raise CheckpointError(
            f"its sha256 is {found}, not {source.sha256}",
            where=source.url,
            hint="the file or the checksum is another one than was meant; nothing was kept",
        )
    remove_unpacked(path)
    part.replace(path)
    write_whole(_beside(path, ".sha256"), found + "\n")
    validator_of(part).unlink(missing_ok=True)
    if source.sha256 is None:
        sys.stderr.write(f"{source.url}: no checksum was given; it is #sha256={found}\n")
