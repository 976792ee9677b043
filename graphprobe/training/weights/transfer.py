"""Copy a file from a server, in several attempts, each going on where one broke off.

A server is untrusted: what it sends has a bound in bytes, in time and in attempts, a connection
that is slower than `LEAST_RATE` is given up, and https never leads to http. This is code of our own
because pooch and requests' downloaders begin anew where a download broke off.
"""

from __future__ import annotations

import http.client
import logging
import os
import queue
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from graphprobe.errors import CheckpointError
from graphprobe.files import write_whole
from graphprobe.version import __version__

LOGGER = logging.getLogger("graphprobe")

# Larger than any published set of weights.
MOST_BYTES = 20_000_000_000
MOST_SECONDS = 24 * 3600.0
LEAST_RATE = 1_000  # bytes a second, over RATE_WINDOW_S
RATE_WINDOW_S = 60.0
# Attempts in a row that bring less than ENOUGH, and attempts in all.
MOST_FAILURES = 4
MOST_ATTEMPTS = 200
ENOUGH = 1 << 20

_CHUNK = 1 << 20
_TIMEOUT_S = 30.0  # of one read
_ANSWER_S = 120.0  # from the request to the end of the answer's head
# A part of a file: its first and last byte, and the size of the whole.
_PART = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII)
# What a connection can break with; an HTTPError is a URLError.
_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed URL: the address, the sha256 that is wanted (or None), and a file name."""

    url: str
    sha256: str | None
    name: str


def fetch(source: Source, part: Path) -> None:
    """Download until the part is whole; what it holds already is not asked for again.

    Raises:
        CheckpointError: the server refuses, sends too much, or broke off too often. The part stays
            where another run can go on from it.
        OSError: the part cannot be written.
    """
    failures, begin = 0, time.monotonic()
    for _ in range(MOST_ATTEMPTS):
        before = _size(part)
        reason = _attempt(source, part)
        if not reason:
            return
        failures = 0 if _size(part) - before >= ENOUGH else failures + 1
        if failures >= MOST_FAILURES or time.monotonic() - begin > MOST_SECONDS:
            break
        LOGGER.warning("%s: %s; trying again", source.url, reason)
        time.sleep(0.1 * 2**failures)  # politeness to a server in trouble
    raise CheckpointError(
        f"the download broke off after {_size(part):,} bytes ({reason})",
        where=source.url,
        hint="run the command again: it goes on from there",
    )


def _attempt(source: Source, part: Path) -> str:
    """One request; the reason why the part is not whole after it, or an empty string."""
    try:
        with _within(_ANSWER_S, lambda: _open(source, part)) as answer:
            return _append(answer, part, source)
    except _BROKEN as error:
        return _reason(error, source, part)
    except (ValueError, UnicodeError) as error:  # where a redirect leads
        raise CheckpointError(f"leads to no address ({error})", where=source.url) from error


def _within(seconds: float, call: Callable[[], T]) -> T:
    """The result of a call; a server that sends its head byte by byte is not waited for.

    Raises:
        TimeoutError: it takes longer; the call is left behind in a thread of its own.
    """
    found: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            found.put((call(), None))
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits for it
            found.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        result, error = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer in {seconds:.0f} seconds") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # None only beside an error


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _reason(error: Exception, source: Source, part: Path) -> str:
    """Why an attempt failed, where another may help; empty where the part proves to be whole.

    Raises:
        CheckpointError: another one cannot help.
    """
    if not isinstance(error, urllib.error.HTTPError):
        return str(getattr(error, "reason", "") or error or type(error).__name__)
    if error.code == 416:  # nothing lies behind the part's end: it is whole, or of another file
        if error.headers.get("Content-Range", "") == f"bytes */{_size(part)}":
            return ""
        part.unlink(missing_ok=True)
    text = f"the server answers {error.code} {str(error.reason)[:60]}"
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
    return _opener().open(request, timeout=_TIMEOUT_S)


def validator_of(part: Path) -> Path:
    """Where the ETag or date of the server's file is kept, to notice that it has changed."""
    return part.with_suffix(".validator")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but none that leaves https: others could read and change the file."""

    def redirect_request(self, *args: Any) -> urllib.request.Request | None:
        request, new = args[0], args[-1]
        if request.type == "https" and not new.lower().startswith("https:"):
            raise CheckpointError(
                f"leads from https to {new.partition(':')[0][:20]}",
                where=request.full_url,
                hint="name an https address that does not",
            )
        return super().redirect_request(*args)


def _opener() -> urllib.request.OpenerDirector:
    """Only http and https, also behind a redirect; no files, no ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        _Redirects,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _append(answer: Any, part: Path, source: Source) -> str:
    """Write what comes; the reason why it is not all, or an empty string."""
    have = _size(part) if answer.status == 206 else 0
    if answer.status not in (200, 206):
        text, hint = f"the server answers {answer.status} and no file", "check the address"
        raise CheckpointError(text, where=source.url, hint=hint)
    if answer.status == 206 and not _is_the_rest(answer, have):
        part.unlink(missing_ok=True)
        return "it sent another part than was asked for"
    total = _total(answer, have)
    if total is not None and total > MOST_BYTES:
        raise _too_large(source, part)
    _keep_validator(answer, part)
    with part.open("ab" if have else "wb") as file:
        broken = _copy(answer, file, _Pace(part.stem, total))
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    if size > MOST_BYTES:
        raise _too_large(source, part)
    if broken or (total is not None and size < total):
        return broken or f"it ended at {size:,} of {total:,} bytes"
    return ""


def _is_the_rest(answer: Any, have: int) -> bool:
    """Whether an answer of part of a file is what is missing: from there to its end."""
    found = _PART.fullmatch(answer.headers.get("Content-Range", ""))
    first, last, size = map(int, found.groups() if found else (-1, 0, 0))
    return first == have and last == size - 1


def _too_large(source: Source, part: Path) -> CheckpointError:
    part.unlink(missing_ok=True)
    text = f"the server sends more than {MOST_BYTES:,} bytes"
    return CheckpointError(text, where=source.url, hint="name other weights")


def _keep_validator(answer: Any, part: Path) -> None:
    tag, path = answer.headers.get("ETag", ""), validator_of(part)
    # A weak tag (W/) cannot prove that bytes are the same.
    value = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
    if value and len(value) < 1000 and value.isprintable():
        write_whole(path, value)
    else:
        path.unlink(missing_ok=True)


def _copy(answer: Any, file: Any, pace: _Pace) -> str:
    """Copy an answer into a file; the reason why it broke off, or an empty string."""
    while True:
        try:
            chunk = answer.read1(_CHUNK)  # what has arrived, however little
        except http.client.IncompleteRead as error:
            file.write(error.partial)
            return "the connection broke off"
        except _BROKEN as error:
            return str(error) or type(error).__name__
        if not chunk:
            return ""
        file.write(chunk)
        if file.tell() > MOST_BYTES:
            return ""  # the caller refuses it
        if pace.too_slow(file.tell()):
            return f"it sends less than {LEAST_RATE:,} bytes a second"


def _total(answer: Any, have: int) -> int | None:
    """The size of the whole file, where the server sends it."""
    length = answer.headers.get("Content-Length", "")
    return have + int(length) if length.isdecimal() and len(length) < 20 else None


class _Pace:
    """Logs how far a download is, and decides whether it is too slow to wait for.

    Args:
        name: of the file.
        total: its bytes, where the server sends them.
    """

    def __init__(self, name: str, total: int | None) -> None:
        self._name, self._total = name, total
        self._begin = self._reported = self._window = time.monotonic()
        self._size: int | None = None

    def too_slow(self, size: int) -> bool:
        """Take note of the bytes that are there."""
        now = time.monotonic()
        if self._size is None:
            self._size = size
        self._report(size, now)
        if now - self._begin > MOST_SECONDS:
            return True
        if now - self._window < RATE_WINDOW_S:
            return False
        slow = size - self._size < LEAST_RATE * (now - self._window)
        self._window, self._size = now, size
        return slow

    def _report(self, size: int, now: float) -> None:
        """Log the size after two seconds, then every ten."""
        shown = self._reported > self._begin
        if now - self._begin < 2 or (shown and now - self._reported < 10):
            return
        self._reported = now
        of = f" of {self._total / 1e6:,.1f}" if self._total else ""
        share = f" ({size / self._total:.0%})" if self._total else ""
        LOGGER.info("%s: %.1f%s MB%s", self._name, size / 1e6, of, share)
