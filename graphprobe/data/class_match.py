"""Which class of a program each class of labelled data is: by name, else by number."""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.errors import GraphprobeError, listed


class NoMatch(GraphprobeError):
    """The classes of data are not those of a program; the message lists how they differ."""


def match_classes(count: int, named: Sequence[str], data: Sequence[str]) -> tuple[int, ...]:
    """The number that each class of data has in a program.

    Args:
        count: classes of the program; 0 where that is not known.
        named: their names, where a file beside the program lists them.
        data: names of the data's classes.

    Raises:
        NoMatch: a class of the data is none of the program's, or nothing shows which one it is.
    """
    if not data:
        raise NoMatch("the data have no classes")
    places = {name.casefold(): place for place, name in enumerate(named)}
    found = [places.get(name.casefold(), -1) for name in data]
    missing = [name for name, place in zip(data, found, strict=True) if place < 0]
    if not missing and (not count or max(found) < count):
        return tuple(found)
    if missing and named and len(missing) < len(data):
        raise NoMatch(f"the program has no class {listed(missing)}")
    if missing and named:
        raise NoMatch(f"the program's classes are {listed(named)}, the data's {listed(data)}")
    if count != len(data):
        known = f"{count} classes" if count else "classes whose number is not known"
        raise NoMatch(f"the program has {known}, the data {len(data)}")
    return tuple(range(count))
