"""Names of parameters -> a regular expression that matches them and no other, with the proof."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from graphprobe.analysis._regex_factor import factored
from graphprobe.errors import GraphprobeError

# What matches no name at all, for an empty set (^ behind a character is never true).
NOTHING = r"^(?!)$"


def names_regex(names: Sequence[str], among: Iterable[str], *, compact: bool = False) -> str:
    r"""A regex, escaped and anchored, that matches exactly `names` among the names of `among`.

    ``re.match``, ``re.search`` and ``re.fullmatch`` agree on it: it stands between ``^`` and
    ``\Z``-like anchors, and names with line breaks are matched by nothing else.

    Args:
        names: what to match; order is kept unless `compact`.
        among: every name of the program; `names` need not be among them.
        compact: factor common beginnings and ends.

    Raises:
        GraphprobeError: the proof failed, and the regex must not be used.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return NOTHING
    body = factored(wanted) if compact else "|".join(map(escape, wanted))
    found = f"^(?:{body})$"
    prove(found, wanted, among)
    return found


def escape(text: str) -> str:
    """`text` as a regex that matches itself, with only the escapes that are needed.

    ``re.escape`` also escapes characters that need none (``-``, ``#``, spaces); other engines
    and people read the shorter form better.
    """
    return "".join(_ESCAPES.get(c, f"\\{c}" if c in r".^$*+?{}[]\|()" else c) for c in text)


_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\x00"}


def prove(regex: str, names: Sequence[str], among: Iterable[str]) -> None:
    """Match a regex against every name, with ``match``, ``search`` and ``fullmatch`` alike.

    Raises:
        GraphprobeError: it misses one of `names`, or matches another name.
    """
    compiled = re.compile(regex)
    wanted = set(names)
    everything = wanted.union(among)
    wrong = sorted(
        name
        for name in everything
        for found in (compiled.match(name), compiled.search(name), compiled.fullmatch(name))
        if (found is not None) != (name in wanted)
    )
    if wrong:
        raise GraphprobeError(
            f"the regex matches another set of names (first: {wrong[0]!r})",
            where="--compact" if len(names) > 1 else "",
            hint="leave --compact out, or rename the parameters",
        )
