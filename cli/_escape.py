"""Text from files, written so that it cannot act on whoever reads it.

A name in a program, a class in a data set, a phrase of a server may hold anything: sequences that
move a terminal's cursor, marks that turn the order of characters, a formula of a spreadsheet.
Everything that a command prints goes through here: `printed` for a terminal, `json_text` and
`csv_cell` for files that other programs read.
"""

from __future__ import annotations

import re
from typing import Any

# What a spreadsheet takes for a formula; a size such as -1x3x224x224 and a number are none.
_FORMULA = re.compile(r"[=+\-@\t\r]")
# Characters of a message; a file may hold names of 16 MiB.
_MOST = 5_000
_SIZE = re.compile(r"-?\d+(?:\.\d+)?(?:[x,] ?-?\d+)*")


def printable(text: str) -> str:
    """A name or a cell in one line: what is no visible character becomes ``\\x1b``, ``\\u202e``.

    Control characters (C0 and C1), marks of direction and of no width, line breaks, lone
    surrogates and characters that Unicode has not assigned are no visible characters.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def message_line(text: str) -> str:
    """A message as `printable` has it; what a name of megabytes makes of it loses its middle."""
    if len(text) > _MOST:
        text = f"{text[: _MOST - 500]} ... {text[-500:]}"
    return printable(text)


def printed(text: str) -> str:
    """Whole lines, as `printable` has them; line breaks stay."""
    if text.replace("\n", "").isprintable():
        return text
    return "\n".join(map(printable, text.split("\n")))


def json_text(text: str) -> str:
    """A json document in which the same characters stand as ``\\u202e``: it reads as the same."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _json_escape(c) for c in text)


def _json_escape(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def csv_cell(value: Any) -> Any:
    """A cell of a table: escaped as `printable`, a formula made text by a quote before it."""
    if not isinstance(value, str):
        return value
    formula = _FORMULA.match(value) and not _SIZE.fullmatch(value)
    return f"'{printable(value)}" if formula else printable(value)
