"""Names of parameters -> a regular expression that matches them and no other, with the proof."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from graphprobe.errors import GraphprobeError
from graphprobe.pruning._regex_factor import escape, factored

# What matches no name at all, for an empty set.
NOTHING = "^(?!)$"


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
    body = factored(wanted) if compact else "|".join(map(escape, wanted))
    end = r"\Z" if any(name.endswith("\n") for name in others.union(wanted)) else "$"
    found = f"^(?:{body}){end}"
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
            what = "misses" if name in wanted else "also matches"
            raise GraphprobeError(
                f"the regex {what} the parameter {name!r}",
                where="prune-regex",
                hint="take the names from params instead",
            )
