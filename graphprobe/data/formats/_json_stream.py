"""Read the arrays of one large json object a few megabytes at a time.

An annotation file of COCO is one object whose lists hold hundreds of megabytes, nine tenths of it
outlines. Parsed whole it takes six times its size in memory. Here each list is cut into slices at
``},{``, and a slice is parsed alone. That a slice parses proves that it was cut between two
elements: a cut inside of an element or a text leaves something open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from graphprobe.errors import DataError

_SLICE = 4 << 20
# One element or one value that is no list; outlines of one object reach a few hundred kilobytes.
_MOST_VALUE = 64 << 20
_BETWEEN = re.compile(rb"\}\s*,\s*(?=\{)")
_SPACE = re.compile(rb"\s*")


class _Incomplete(Exception):
    """The buffer ends inside of a value."""


def stream_arrays(path: Path, unread: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The lists of a json object: each as (its key, some elements), in the order of the file.

    Values that are no lists are given as a list of None, once: whoever wants a list finds that
    this key holds none.

    Args:
        path: the file.
        unread: a key of the elements whose lists of numbers are left out or given as they are;
            what stands in them is not checked.

    Raises:
        DataError: it cannot be read, or is not one json object.
    """
    try:
        with path.open("rb") as file:
            yield from _Reader(file, path, unread).run()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=str(path)) from error


class _Reader:
    """A cursor over a file: `data[at:]` is what was read and not used yet."""

    def __init__(self, file: BinaryIO, path: Path, unread: str) -> None:
        self._file, self._path = file, path
        # The quote of a key is not escaped; numbers and brackets go on until another key or brace.
        key = re.escape(json.dumps(unread).encode())
        self._unread = re.compile(rb"(?<!\\)" + key + rb'\s*:\s*\[[^"{}]*\]') if unread else None
        self._data, self._at, self._before = b"", 0, 0
        self._ended = False

    def run(self) -> Iterator[tuple[str, list[Any]]]:
        """Walk through the object."""
        if self._peek() == b"\xef":
            self._expect(b"\xef\xbb\xbf")  # the mark that some editors write
        self._expect(b"{")
        if self._peek() == b"}":
            self._expect(b"}")
        else:
            while True:
                key = self._value()
                if not isinstance(key, str):
                    raise self._error("a key is no text")
                self._expect(b":")
                if self._peek() == b"[":
                    yield from ((key, items) for items in self._array())
                else:
                    self._value()
                    yield key, [None]
                if self._peek() != b",":
                    break
                self._expect(b",")
            self._expect(b"}")
        if self._peek():
            raise self._error("something follows the object")

    def _array(self) -> Iterator[list[Any]]:
        self._expect(b"[")
        yield []  # an empty list is there too
        if self._peek() == b"]":
            self._expect(b"]")
            return
        while True:
            items = self._fast_slice() or self._slow_slice()
            yield items
            if self._peek() == b"]":
                self._expect(b"]")
                return
            self._expect(b",")

    def _fast_slice(self) -> list[Any] | None:
        """Elements up to a ``},{`` some megabytes ahead; None where that is not between two."""
        self._fill(2 * _SLICE)
        found = _BETWEEN.search(self._data, self._at + _SLICE)
        if found is None:
            return None
        end = found.start() + 1
        try:
            text = self._data[self._at : end]
            if self._unread is not None:
                text = self._unread.sub(b'"":0', text)
            items: list[Any] = json.loads(b"[" + text + b"]")
        except (ValueError, RecursionError):
            return None
        self._at = end
        return items

    def _slow_slice(self) -> list[Any]:
        """Elements one by one, until a slice is full or the list ends."""
        items = [self._value()]
        start = self._before + self._at
        while self._before + self._at - start < _SLICE and self._peek() == b",":
            self._expect(b",")
            items.append(self._value())
        return items

    def _value(self) -> Any:
        """The next value, whatever it is."""
        self._peek()
        wanted = 1 << 9
        while True:
            try:
                return self._decode(wanted)
            except _Incomplete:
                if len(self._data) - self._at >= _MOST_VALUE:
                    text = f"one value has more than {_MOST_VALUE >> 20} MiB"
                    raise self._error(text) from None
                wanted *= 8
                self._fill(wanted)

    def _decode(self, count: int) -> Any:
        piece = self._data[self._at : self._at + count]
        # A character may be cut at the end of the piece; what is wrong before it stays wrong.
        text = piece.decode("utf-8", errors="surrogateescape")
        whole = self._ended and self._at + count >= len(self._data)
        try:
            value, end = _DECODER.raw_decode(text)
        except RecursionError:
            raise self._error("nests too deep") from None
        except ValueError as error:
            if whole or not _may_go_on(error, len(text)):
                raise self._error(getattr(error, "msg", "damaged")) from error
            raise _Incomplete from error
        # A number that ends with the piece may go on behind it.
        if end == len(text) and not whole:
            raise _Incomplete
        used = text[:end].encode("utf-8", errors="surrogateescape")
        try:
            used.decode("utf-8")
        except UnicodeDecodeError:
            raise self._error("is not UTF-8") from None
        self._at += len(used)
        return value

    def _peek(self) -> bytes:
        """The next byte that is no space; empty at the end."""
        while True:
            found = _SPACE.match(self._data, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._data) or self._ended:
                return self._data[self._at : self._at + 1]
            self._fill(1 << 16)

    def _expect(self, text: bytes) -> None:
        self._peek()
        self._fill(len(text))
        if self._data[self._at : self._at + len(text)] != text:
            raise self._error(f"{text.decode('latin-1')} is missing")
        self._at += len(text)

    def _fill(self, count: int) -> None:
        """Read on until that many bytes lie ahead, or the file ends."""
        while len(self._data) - self._at < count and not self._ended:
            more = self._file.read(max(count, _SLICE))
            self._ended = not more
            self._before += self._at
            self._data, self._at = self._data[self._at :] + more, 0

    def _error(self, text: str) -> DataError:
        return DataError(
            f"is no json ({text}, byte {self._before + self._at})", where=str(self._path)
        )


def _may_go_on(error: ValueError, length: int) -> bool:
    """Whether what is wrong with a piece may be nothing but its end."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.pos > length - 16 or error.msg.startswith("Unterminated string")


_DECODER = json.JSONDecoder()
