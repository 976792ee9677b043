"""A set of names as one regex with common beginnings and ends written once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from os.path import commonprefix


def factored(names: Iterable[str]) -> str:
    """A regex that matches exactly these names (unanchored).

    Beginnings are shared as in a prefix tree; branches that continue in the same way are
    written as one. The tree is walked with a stack, so long names do no harm.
    """
    return _alternatives(sorted(set(names)))


def _alternatives(names: list[str]) -> str:
    from graphprobe.analysis.regex import escape

    shared_end = commonprefix([name[::-1] for name in names])[::-1] if len(names) > 1 else ""
    # The end must not reach into the shortest name's beginning twice.
    shared_end = shared_end[: min(map(len, names))]
    heads = [name[: len(name) - len(shared_end)] for name in names]
    parts = [_branch(group) for group in _by_first(heads)]
    return _joined(parts) + escape(shared_end)


def _by_first(names: list[str]) -> list[list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[name[:1]].append(name)
    return list(groups.values())


def _branch(names: list[str]) -> str:
    from graphprobe.analysis.regex import escape

    if len(names) == 1:
        return escape(names[0])
    start = commonprefix(names)
    return escape(start) + _alternatives([name[len(start) :] for name in names])


def _joined(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"(?:{'|'.join(parts)})"
