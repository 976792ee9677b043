"""Draw equal blocks in a row once: a stack of residual blocks, a tower of convolutions.

Blocks are equal where their units have the same titles (op types, kernel, stride, channels) and
the same edges between them. A period of up to four blocks may repeat, as 1x1 and 3x3 in turns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from graphprobe.drawing.dag import Edge, make_dag
from graphprobe.drawing.labels import Words
from graphprobe.drawing.layout.layout_graph import LayoutGraph

_LONGEST_PERIOD = 4
_LEAST_SAVING = 2


@dataclass(frozen=True, slots=True)
class _Run:
    """Copies of one pattern; each copy lists its nodes in the same order."""

    copies: tuple[tuple[int, ...], ...]


def fold_repeats(
    view: LayoutGraph, block_of: Sequence[int], enters: Sequence[bool], leaves: Sequence[bool]
) -> LayoutGraph:
    """The view with each run of equal blocks drawn once, marked as ``x 6``.

    Args:
        view: units, each with the words of its own.
        block_of: the block of each node.
        enters: whether an edge from outside the view ends at a node.
        leaves: whether an edge to the outside begins at a node.

    Returns:
        A view whose repeated nodes hold the items, ops and prune statuses of all copies.
    """
    blocks: dict[int, list[int]] = {}
    for node, block in enumerate(block_of):
        blocks.setdefault(block, []).append(node)
    copies: dict[int, tuple[int, ...]] = {}  # the first copy's node -> that node in every copy
    for chain in _chains(view, block_of, blocks, enters, leaves):
        for run in _runs([tuple(blocks[b]) for b in chain], view):
            for nodes in zip(*run.copies, strict=True):
                copies[nodes[0]] = nodes
    return _merged(view, copies) if copies else view


def _chains(
    view: LayoutGraph,
    block_of: Sequence[int],
    blocks: dict[int, list[int]],
    enters: Sequence[bool],
    leaves: Sequence[bool],
) -> Iterator[list[int]]:
    """Blocks in a row: each has no other consumer than the next, which has no other producer."""
    after: dict[int, set[int]] = {b: set() for b in blocks}
    before: dict[int, set[int]] = {b: set() for b in blocks}
    for u, v in view.dag.edges:
        if block_of[u] != block_of[v]:
            after[block_of[u]].add(block_of[v])
            before[block_of[v]].add(block_of[u])
    follower: dict[int, int] = {}
    for block, near in after.items():
        other = next(iter(near), block)
        if len(near) != 1 or len(before[other]) != 1 or any(leaves[n] for n in blocks[block]):
            continue
        if not any(enters[n] for n in blocks[other]):
            follower[block] = other
    inner = set(follower.values())
    for block in blocks:
        if block not in inner:
            chain = [block]
            while chain[-1] in follower:
                chain.append(follower[chain[-1]])
            yield chain


def _runs(chain: list[tuple[int, ...]], view: LayoutGraph) -> Iterator[_Run]:
    """The repetitions in a chain of blocks that save most, from its start to its end."""
    below = view.dag.succ
    looks = [_look(view, nodes, below) for nodes in chain]
    at = 0
    while at < len(chain):
        best = (0, 1, 1)
        for period in range(1, _LONGEST_PERIOD + 1):
            times = 1
            while looks[at : at + period] == looks[at + times * period : at + (times + 1) * period]:
                times += 1
            saved = (times - 1) * sum(len(nodes) for nodes in chain[at : at + period])
            best = max(best, (saved, -period, times))
        saved, period, times = best[0], abs(best[1]), best[2]
        if saved < _LEAST_SAVING or times < 2:
            at += 1
            continue
        parts = [chain[at + k * period : at + (k + 1) * period] for k in range(times)]
        yield _Run(tuple(tuple(node for nodes in part for node in nodes) for part in parts))
        at += times * period


def _look(view: LayoutGraph, nodes: Sequence[int], below: list[list[int]]) -> tuple[object, ...]:
    """What makes two blocks equal."""
    index = {node: at for at, node in enumerate(nodes)}
    edges = tuple((index[n], index[v]) for n in nodes for v in below[n] if v in index)
    return tuple((view.words[n].title, view.words[n].kind) for n in nodes), edges


def _merged(view: LayoutGraph, copies: dict[int, tuple[int, ...]]) -> LayoutGraph:
    first = {node: leader for leader, nodes in copies.items() for node in nodes}
    kept = [n for n in range(len(view.dag)) if first.get(n, n) == n]
    home = {n: at for at, n in enumerate(kept)}
    names: dict[Edge, tuple[str, ...]] = {}
    for u, v in view.dag.edges:
        a, b = home[first.get(u, u)], home[first.get(v, v)]
        if a < b:  # from copy to copy the edge would go back
            names.setdefault((a, b), view.names.get((u, v), ()))
    groups = [copies.get(n, (n,)) for n in kept]
    return replace(
        view,
        dag=make_dag(len(kept), names),
        words=[_words(view, nodes) for nodes in groups],
        numbers=[view.numbers[n] for n in kept],
        badges=[tuple(b for n in nodes for b in view.badges[n]) for nodes in groups],
        items=[[i for n in nodes for i in view.items[n]] for nodes in groups],
        ops=[[op for n in nodes for op in view.ops[n]] for nodes in groups],
        names=names,
    )


def _words(view: LayoutGraph, nodes: Sequence[int]) -> Words:
    """The words of the first copy, with how many there are and what differs from the last."""
    first, last = view.words[nodes[0]], view.words[nodes[-1]]
    if len(nodes) == 1:
        return first
    lines = tuple(
        a if a == b else f"{a} … {b}" for a, b in zip(first.lines, last.lines, strict=False)
    )
    statuses = tuple(word for n in nodes for word in view.words[n].statuses)
    title = f"× {len(nodes)}  {first.title}"
    return replace(first, title=title, lines=lines, statuses=statuses)
