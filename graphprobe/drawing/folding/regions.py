"""Find the small closed regions of a graph: residual, squeeze-and-excite, inception blocks.

A region runs from an entry (left outside) to an exit (inside): every edge into it comes from the
entry or from a constant, and every edge out of it leaves from the exit. Merging one can
therefore not make a cycle. The entry is the exit's immediate dominator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphprobe.drawing.dag import Dag
from graphprobe.drawing.folding.dominators import ROOT, dominators

MAX_NODES = 40


def closed_regions(
    dag: Dag, weight: Sequence[int], max_weight: int, may_join: Callable[[int, int], bool]
) -> list[int]:
    """A group number for each node; nodes in no region stay alone.

    Args:
        dag: the graph.
        weight: what each node adds to a region, as its number of convolutions.
        max_weight: heavier regions stay apart.
        may_join: whether a node may stand in one region with a successor of it (node, successor).
    """
    graph = _Neighbours(dag.pred, dag.succ)
    constant = graph.constants()
    before = dominators(dag, constant)
    group = list(range(len(dag)))
    for exit_ in range(len(dag)):
        if len(graph.pred[exit_]) < 2 or before[exit_] == ROOT:
            continue
        inside = _between(graph, before[exit_], exit_, constant)
        if inside is None or sum(weight[node] for node in inside) > max_weight:
            continue
        if all(may_join(u, v) for v in inside for u in graph.pred[v] if u in inside):
            _join(group, inside, exit_)
    return group


@dataclass(frozen=True, slots=True)
class _Neighbours:
    pred: list[list[int]]
    succ: list[list[int]]

    def constants(self) -> list[bool]:
        """Sources with one consumer at most: they feed a region without opening it."""
        return [not near and len(to) <= 1 for near, to in zip(self.pred, self.succ, strict=True)]


def _between(
    graph: _Neighbours, entry: int, exit_: int, constant: Sequence[bool]
) -> set[int] | None:
    """The nodes of the region; None where it is too large or not closed."""
    inside = {exit_}
    queue = [exit_]
    while queue:
        for node in graph.pred[queue.pop()]:
            # A constant or an input may stay outside: nothing leads back into it.
            if node == entry or node in inside or constant[node]:
                continue
            if node < entry:
                return None
            inside.add(node)
            queue.append(node)
            if len(inside) > MAX_NODES:
                return None
    closed = all(v in inside for u in inside if u != exit_ for v in graph.succ[u])
    return inside if closed else None


def _join(group: list[int], inside: set[int], exit_: int) -> None:
    """Give the region, and the regions that lie in it, one number."""
    for node in inside:
        group[node] = exit_
