"""Weights that a URL names: downloaded once, resumed where they broke off, checked, kept.

``https://HOST/FILE#sha256=HEX`` is refused unless its bytes have that sum; without one the sum is
logged, to be written down. A file is at its final name only when it is whole, so what lies there is
never half a download, and its bytes are held against their sum each time it is used. Archives (tar)
are unpacked beside it. Resuming is the reason why this is not pooch, which begins anew.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from graphprobe.errors import CheckpointError
from graphprobe.files import write_whole
from graphprobe.training.weights.checkpoint import file_sha256
from graphprobe.training.weights.transfer import Source, fetch, validator_of
from graphprobe.training.weights.unpack import is_archive, remove_unpacked, unpack

LOGGER = logging.getLogger("graphprobe")

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
    parts = _split(text)
    if parts.scheme.lower() not in ("http", "https"):
        raise CheckpointError(
            f"{parts.scheme} is not downloaded", where=text, hint="name an http or https address"
        )
    name = re.sub(r"[^\w.-]", "_", unquote(parts.path).rpartition("/")[2]).lstrip(".")
    name = name[-100:].lstrip(".")  # the suffix is kept: it decides how the file is read
    if not parts.hostname or not name:
        raise CheckpointError("names no file", where=text, hint="as https://HOST/FILE.tar")
    wanted = _SUM.fullmatch(parts.fragment)
    if parts.fragment and wanted is None:
        hint = "write #sha256= and its 64 hexadecimal digits"
        raise CheckpointError(f"#{parts.fragment} is no checksum", where=text, hint=hint)
    plain = parts._replace(fragment="").geturl()
    return Source(plain, None if wanted is None else wanted[1].lower(), name)


def _split(text: str) -> SplitResult:
    """The parts of an address that can be asked for as it stands.

    Raises:
        CheckpointError: it is not well formed, holds a password, or something is not ASCII.
    """
    try:
        parts = urlsplit(text)
        # Both are parsed only here; an encoded host is what the resolver is asked for.
        _, host = parts.port, (parts.hostname or "").encode("idna")
    except ValueError as error:  # a UnicodeError is one, too
        raise CheckpointError(f"is no address ({error})", where=_shown(text)) from error
    if parts.username is not None or re.search(r"[\s\x00-\x1f\x7f]", text):
        hint = "download it by hand and name the file"
        raise CheckpointError("holds a password or a space", where=parts.hostname or "", hint=hint)
    if not text.isascii():
        encoded = quote(text, safe=":/?#[]@!$&()*+,;=%", errors="surrogateescape")
        hint = f"write it as {encoded}"
        if not (parts.hostname or "").isascii():
            hint = f"write its host as {host.decode('ascii')}"
        raise CheckpointError("holds characters that are not ASCII", where=_shown(text), hint=hint)
    return parts


def _shown(text: str) -> str:
    """An address without the password that it may hold."""
    return re.sub(r"//[^/]*@", "//", text)


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
    from platformdirs import user_cache_path

    return user_cache_path("graphprobe") / "weights"


def _failed(source: Source, folder: Path, error: OSError) -> CheckpointError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "make room, or set XDG_CACHE_HOME to a larger disk; it goes on where it stopped"
        return CheckpointError(f"no space left in {folder}", where=source.url, hint=hint)
    reason = error.strerror or error
    return CheckpointError(f"{folder} cannot be written ({reason})", where=source.url)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process downloads; the others of the same run wait and find the file."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=2)
    except Timeout:
        LOGGER.info("%s: waiting for another process that downloads into it", folder)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _is_there(path: Path, source: Source) -> bool:
    """Whether the cache has the file, with the sum that is wanted or the one that it came with."""
    note = _beside(path, ".sha256")
    if not path.is_file() or not note.is_file():
        return False
    wanted = source.sha256 or note.read_text(encoding="ascii", errors="replace").strip()
    if file_sha256(path) == wanted:
        return True
    if source.sha256 is None:
        LOGGER.warning("%s has changed since it was downloaded; getting it again", path)
    return False


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
        LOGGER.warning("%s: no checksum was given; it is #sha256=%s", source.url, found)
