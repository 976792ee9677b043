"""The neighbourhood of what a regular expression matches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from graphprobe.drawing.folding.fold import Fold
from graphprobe.drawing.installed import networkx
from graphprobe.drawing.layout.layout_graph import LayoutGraph, part
from graphprobe.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Focus:
    """What to look at.

    Args:
        pattern: searched in op types and in the names of variables and parameters.
        hops: how many edges away a node may be, in either direction.
    """

    pattern: re.Pattern[str]
    hops: int = 2


def focused(fold: Fold, view: LayoutGraph, focus: Focus) -> LayoutGraph | None:
    """The part of a view around the matches, with the rest as ports; None where none matches."""
    hits = {n for n, items in enumerate(view.items) if _matches(fold, items, focus.pattern)}
    if not hits:
        return None
    # Breadth first in either direction, from all hits at once.
    layers = networkx().bfs_layers(view.dag.to_networkx().to_undirected(as_view=True), hits)
    near = {node for layer in islice(layers, focus.hops + 1) for node in layer}
    marked = replace(
        view,
        words=[
            replace(words, kind="hit") if n in hits else words for n, words in enumerate(view.words)
        ],
    )
    found = part(marked, near, f"within {focus.hops} edges of {focus.pattern.pattern}")
    found.notes.append(
        f"{len(hits):,} of {len(view.dag):,} nodes match; left out: "
        f"{len(view.dag) - len(near):,} that are further away"
    )
    return found


def _matches(fold: Fold, items: list[int], pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(word) for item in items for word in words_of(fold, item))


def words_of(fold: Fold, item: int) -> Iterator[str]:
    """What an item can be found by: its type and the variables that it reads and writes."""
    found = fold.graph.items[item]
    yield found.name
    if found.op is not None:
        yield found.op.type
        yield from found.op.input_names()
        yield from found.op.output_names()


def refuse_no_match(folds: list[Fold], focus: Focus | None) -> None:
    """Refuse a focus before anything is laid out.

    Raises:
        UsageError: the focus matches nothing.
    """
    if focus is None:
        return
    if not any(_matches(fold, [n], focus.pattern) for fold in folds for n in _items(fold)):
        raise nothing_matches(folds, focus)


def _items(fold: Fold) -> range:
    return range(len(fold.graph.items))


def nothing_matches(folds: list[Fold], focus: Focus) -> UsageError:
    """The error for a pattern that matches no node."""
    words = {word for fold in folds for item in _items(fold) for word in words_of(fold, item)}
    text = focus.pattern.pattern
    hint = (
        did_you_mean(text, sorted(words))
        or "name an op type, a variable or a parameter of the program"
    )
    return UsageError(
        "matches no op type, variable or parameter", where=f"focus={text!r}", hint=hint
    )
