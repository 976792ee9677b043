"""Copy a file from a server, in as many tries as it takes, each going on where one broke off."""

from __future__ import annotations

import http.client
import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphprobe.errors import CheckpointError
from graphprobe.files import write_whole
from graphprobe.version import __version__

_CHUNK = 1 << 20
_TRIES = 4
_TIMEOUT = 30.0
# What a connection can break with; an HTTPError is a URLError.
_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


@dataclass(frozen=True, slots=True)
class Source:
    """What a URL says: the address itself, the sum that is wanted (or None), and a file name."""

    url: str
    sha256: str | None
    name: str


def fetch(source: Source, part: Path) -> None:
    """Download until the part is whole; what it holds already is not asked for again.

    Raises:
        CheckpointError: the server refuses, or it broke off too often; the part stays.
        OSError: the part cannot be written.
    """
    failures = 0
    while True:
        before = _size(part)
        try:
            with _open(source, part) as answer:
                reason = _append(answer, part)
        except _BROKEN as error:
            reason = _reason(error, source, part)
        if not reason:
            return
        failures = 0 if _size(part) > before else failures + 1
        if failures == _TRIES:
            break
        sys.stderr.write(f"{source.url}: {reason}; trying again\n")
        time.sleep(0.1 * 2**failures)  # politeness to a server in trouble
    raise CheckpointError(
        f"the download broke off after {_size(part):,} bytes ({reason})",
        where=source.url,
        hint="run the command again: it goes on from there",
    )


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: Exception, source: Source, part: Path) -> str:
    """Why a try failed, where another one may help; empty where the part proves to be whole.

    Raises:
        CheckpointError: another one cannot help.
    """
    if not isinstance(error, urllib.error.HTTPError):
        return str(getattr(error, "reason", "") or error or type(error).__name__)
    if error.code == 416:  # nothing lies behind the part's end: it is whole, or of another file
        if error.headers.get("Content-Range", "") == f"bytes */{_size(part)}":
            return ""
        part.unlink(missing_ok=True)
    text = f"the server answers {error.code} {error.reason}"
    if error.code >= 500 or error.code in (408, 416, 429):
        return text
    hint = "check the address" if error.code in (404, 410) else "download it by hand"
    raise CheckpointError(text, where=source.url, hint=hint) from error


def _open(source: Source, part: Path) -> Any:
    """Ask for what the part lacks; a server whose file has changed sends it whole."""
    headers = {"User-Agent": f"graphprobe/{__version__}", "Accept-Encoding": "identity"}
    have, validator = _size(part), validator_of(part)
    if have and (validator.is_file() or source.sha256 is not None):
        headers["Range"] = f"bytes={have}-"
    if have and validator.is_file():
        headers["If-Range"] = validator.read_text(encoding="utf-8")
    request = urllib.request.Request(source.url, headers=headers)  # noqa: S310 - http(s) only
    return _opener().open(request, timeout=_TIMEOUT)


def validator_of(part: Path) -> Path:
    """The file that keeps what tells one version of the server's file from another."""
    return part.with_suffix(".validator")


def _opener() -> urllib.request.OpenerDirector:
    """Only http and https, also behind a redirect; no files, no ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _append(answer: Any, part: Path) -> str:
    """Write what comes; the reason why it is not all, or an empty string."""
    have = _size(part) if answer.status == 206 else 0
    if have and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        part.unlink()
        return "it sent another part than was asked for"
    _keep_validator(answer, part)
    total = _total(answer, have)
    with part.open("ab" if have else "wb") as file, _Progress(part.stem, total) as progress:
        broken = _copy(answer, file, progress)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    if broken or (total is not None and size < total):
        return broken or f"it ended at {size:,} of {total:,} bytes"
    return ""


def _keep_validator(answer: Any, part: Path) -> None:
    tag, path = answer.headers.get("ETag", ""), validator_of(part)
    # A weak tag (W/) cannot prove that bytes are the same.
    value = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
    if value:
        write_whole(path, value)
    else:
        path.unlink(missing_ok=True)


def _copy(answer: Any, file: Any, progress: _Progress) -> str:
    """Copy an answer into a file; the reason why it broke off, or an empty string."""
    while True:
        try:
            chunk = answer.read(_CHUNK)
        except http.client.IncompleteRead as error:
            file.write(error.partial)
            return "the connection broke off"
        except _BROKEN as error:
            return str(error) or type(error).__name__
        if not chunk:
            return ""
        file.write(chunk)
        progress.show(file.tell())


def _total(answer: Any, have: int) -> int | None:
    """The size of the whole file, where the server tells it."""
    length = answer.headers.get("Content-Length", "")
    return have + int(length) if length.isdecimal() else None


class _Progress:
    """Megabytes on standard error, once a download takes longer than two seconds."""

    def __init__(self, name: str, total: int | None) -> None:
        self._name, self._total = name, total
        self._begin = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._shown = False

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._terminal:
            sys.stderr.write("\n")

    def show(self, size: int) -> None:
        """Tell how far it is: ten times a second on a terminal, else every ten seconds."""
        now = time.monotonic()
        wait = 0.1 if self._terminal else 10.0
        if now - self._begin < 2 or (self._shown and now - self._told < wait):
            return
        self._told, self._shown = now, True
        of = f" of {self._total / 1e6:,.1f}" if self._total else ""
        share = f" ({size / self._total:.0%})" if self._total else ""
        line = f"{self._name}: {size / 1e6:,.1f}{of} MB{share}"
        sys.stderr.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()
