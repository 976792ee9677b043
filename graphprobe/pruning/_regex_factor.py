"""A set of names as one regex with common beginnings and ends written once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from os.path import commonprefix

# Groups in groups beyond this are written flat; regex engines limit how deep they may go.
MAX_DEPTH = 12

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\x00"}


def escape(text: str) -> str:
    """Text as a regex that matches itself, with no more escapes than needed.

    ``re.escape`` also escapes what means nothing special (``-``, ``#``, spaces), which other
    engines refuse or people stumble over.
    """
    return "".join(_NAMED.get(c, f"\\{c}" if c in r".^$*+?{}[]\|()" else c) for c in text)


def factored(names: Iterable[str]) -> str:
    """A regex that matches exactly these names (unanchored)."""
    return _alternatives(sorted(set(names)), 0)


def _alternatives(names: list[str], depth: int) -> str:
    """Names, sorted: their common end once, then a branch for each first character."""
    if len(names) == 1:
        return escape(names[0])
    if depth >= MAX_DEPTH:
        return f"(?:{'|'.join(map(escape, names))})"
    end = commonprefix([name[::-1] for name in names])[::-1]
    heads = [name[: len(name) - len(end)] for name in names]
    branches = [list(group) for _, group in groupby(heads, key=lambda head: head[:1])]
    return _joined([_branch(branch, depth) for branch in branches]) + escape(end)


def _branch(names: list[str], depth: int) -> str:
    start = commonprefix(names)
    return escape(start) + _alternatives([name[len(start) :] for name in names], depth + 1)


def _joined(parts: list[str]) -> str:
    """Alternatives, those of one plain character as a class."""
    if len(parts) == 1:
        return parts[0]
    single = [part for part in parts if len(part) == 1 and part.isalnum()]
    if len(single) > 1:
        parts = [f"[{''.join(single)}]", *(part for part in parts if part not in single)]
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"
