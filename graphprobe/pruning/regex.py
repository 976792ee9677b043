"""Names of parameters -> a regular expression that matches them and no other, with the proof."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from os.path import commonprefix

from graphprobe.errors import GraphprobeError

# What matches no name at all, for an empty set.
NOTHING = "^(?!)$"
# Groups in groups beyond this are written flat; regex engines limit how deep they may go.
MAX_DEPTH = 12
# An engine tries every alternative on every name; beyond so many tries the text is read instead.
MAX_TRIES = 5_000_000

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\x00"}
_MEANT = {escaped: character for character, escaped in _NAMED.items()}
_ESCAPED = re.compile(r"\\x00|\\.")
# Alone, these characters and escapes match themselves in every engine.
_LITERAL = re.compile(r"(?:[^.^$*+?{}\[\]\\|()\n\r\t\0]|\\[.^$*+?{}\[\]\\|()nrt]|\\x00)*")


def names_regex(names: Sequence[str], among: Iterable[str], *, compact: bool = False) -> str:
    r"""A regex, escaped and anchored, that matches exactly `names`.

    ``re.match``, ``re.search`` and ``re.fullmatch`` agree on it. It ends in ``$``, or in ``\Z``
    where some name ends in a line break (``$`` also matches before one).

    Args:
        names: what to match; order is kept unless `compact`.
        among: every name of the program; `names` need not be among them.
        compact: write common beginnings and ends once.

    Raises:
        GraphprobeError: the proof failed, and the regex must not be used.
    """
    wanted = list(dict.fromkeys(names))
    others = set(among)
    if not wanted:
        return NOTHING
    parts = list(map(escape, wanted))
    body = factored(wanted) if compact else "|".join(parts)
    end = r"\Z" if any(name.endswith("\n") for name in others.union(wanted)) else "$"
    found = f"^(?:{body}){end}"
    if not compact and len(wanted) * len(others.union(wanted)) > MAX_TRIES:
        prove_literal(parts, wanted)
    else:
        prove(found, wanted, others)
    return found


def prove(regex: str, names: Iterable[str], among: Iterable[str]) -> None:
    """Match a regex against every name, with ``match``, ``search`` and ``fullmatch`` alike.

    Raises:
        GraphprobeError: it misses one of `names`, or matches another name.
    """
    compiled = re.compile(regex)
    wanted = set(names)
    for name in sorted(wanted.union(among)):
        ways = compiled.match(name), compiled.search(name), compiled.fullmatch(name)
        if any((found is not None) != (name in wanted) for found in ways):
            raise _unproven("misses" if name in wanted else "also matches", name)


def prove_literal(parts: Iterable[str], names: Iterable[str]) -> None:
    """Read each alternative of a regex: what has only characters that mean themselves matches that.

    Raises:
        GraphprobeError: one holds something else, or stands for another name.
    """
    for part, name in zip(parts, names, strict=True):
        if not _LITERAL.fullmatch(part) or _ESCAPED.sub(_meant, part) != name:
            raise _unproven("misses", name)


def _meant(escaped: re.Match[str]) -> str:
    """The character that an escape stands for."""
    return _MEANT.get(escaped[0], escaped[0][1:])


def _unproven(what: str, name: str) -> GraphprobeError:
    hint = "take the names from params instead"
    return GraphprobeError(
        f"the regex {what} the parameter {name!r}", where="prune-regex", hint=hint
    )


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
