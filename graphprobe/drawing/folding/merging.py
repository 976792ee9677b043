"""Merge blocks into the stages of an overview: straight runs at one stride, then the smallest.

Every merge keeps the quotient acyclic. The groups stand in a topological order; two groups may
merge where they are joined by an edge and either are neighbours in that order, or the first has
no other successor (it can stand right before the second), or the second has no other
predecessor (it can stand right behind the first).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from graphprobe.drawing.dag import Dag

JoinTest = Callable[[int, int], bool]


def straight_runs(dag: Dag, may_join: JoinTest, weight: Sequence[int], cap: int) -> list[int]:
    """A group number for each node: runs in which each step has one consumer and one producer.

    Args:
        dag: the graph.
        may_join: whether a run may go on from a node to its successor.
        weight: what each node adds to a run.
        cap: a run that weighs this much ends.
    """
    group = list(range(len(dag)))
    total = list(weight)
    for node, near in enumerate(dag.succ):
        if len(near) != 1 or len(dag.pred[near[0]]) != 1 or not may_join(node, near[0]):
            continue
        if total[group[node]] < cap:
            group[near[0]] = group[node]
            total[group[node]] += weight[near[0]]
    return group


@dataclass(slots=True)
class Merging:
    """Merge the lightest group with its lightest neighbour, again and again.

    A merge at least doubles the weight of the lightest group, and neighbours move from the group
    with fewer of them to the other, so the whole is n log n in nodes and edges. A group that may
    merge with no neighbour waits until one of its edges changes.

    Args:
        dag: the graph.
        given: the weight of each node, at least 1.
        may_join: whether an edge may lie inside a group.
        steps: how many edges were looked at.
    """

    dag: Dag
    given: Sequence[int]
    may_join: JoinTest
    steps: int = 0
    _weight: list[int] = field(default_factory=list)
    # For each group: neighbour -> whether an edge between the two must stay visible.
    _succ: list[dict[int, bool]] = field(default_factory=list)
    _pred: list[dict[int, bool]] = field(default_factory=list)
    # The groups as a linked list in a topological order; -1 at its ends.
    _before: list[int] = field(default_factory=list)
    _after: list[int] = field(default_factory=list)
    _parent: list[int] = field(default_factory=list)
    _heap: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = len(self.dag)
        self._weight = list(self.given)
        near = self.dag.succ
        self._succ = [{v: not self.may_join(u, v) for v in near[u]} for u in range(size)]
        self._pred = [{} for _ in range(size)]
        for u, found in enumerate(self._succ):
            for v, sealed in found.items():
                self._pred[v][u] = sealed
        self._before = [n - 1 for n in range(size)]
        self._after = [*range(1, size), -1][:size]
        self._parent = list(range(size))
        self._heap = [(self._weight[n], n) for n in range(size)]
        heapq.heapify(self._heap)

    def run(self, limit: int) -> list[int]:
        """Merge until at most `limit` groups are left, or none may merge.

        Returns:
            A group number for each node.
        """
        left = len(self._parent)
        while left > limit and self._heap:
            weight, group = heapq.heappop(self._heap)
            if self._parent[group] != group or weight != self._weight[group]:
                continue
            found = self._lightest(group)
            if found is not None:
                self._merge(*found)
                left -= 1
        return [self._root(node) for node in range(len(self._parent))]

    def _lightest(self, group: int) -> tuple[int, int] | None:
        """The edge from or to `group` that may go, with the lightest other end."""
        best: tuple[int, int, int, int] | None = None
        for near, forward in ((self._succ[group], True), (self._pred[group], False)):
            for other, sealed in near.items():
                self.steps += 1
                u, v = (group, other) if forward else (other, group)
                if not sealed and self._stays_acyclic(u, v):
                    key = (self._weight[other], other, u, v)
                    best = key if best is None else min(best, key)
        return None if best is None else best[2:]

    def _stays_acyclic(self, u: int, v: int) -> bool:
        return self._after[u] == v or len(self._succ[u]) == 1 or len(self._pred[v]) == 1

    def _merge(self, u: int, v: int) -> None:
        """Merge two groups joined by an edge; the one with more neighbours keeps its number."""
        stays = u if self._after[u] == v or len(self._succ[u]) > 1 else v
        del self._succ[u][v], self._pred[v][u]
        large, small = (u, v) if self._degree(u) >= self._degree(v) else (v, u)
        shared = self._take_neighbours(large, small)
        gap = self._take_position(large, small, stays)
        self._weight[large] += self._weight[small]
        self._parent[small] = large
        heapq.heappush(self._heap, (self._weight[large], large))
        self._wake(*gap)
        for group in shared:
            if len(self._succ[group]) == 1:
                self._wake(group, next(iter(self._succ[group])))
            if len(self._pred[group]) == 1:
                self._wake(next(iter(self._pred[group])), group)

    def _wake(self, u: int, v: int) -> None:
        """Look again at an edge that may have become free, from its end with fewer edges."""
        if u >= 0 and v >= 0 and self._succ[u].get(v) is False:
            group = u if self._degree(u) < self._degree(v) else v
            heapq.heappush(self._heap, (self._weight[group], group))

    def _degree(self, group: int) -> int:
        return len(self._succ[group]) + len(self._pred[group])

    def _take_neighbours(self, large: int, small: int) -> list[int]:
        """Move the edges of `small`; returns the neighbours of both, which have lost one."""
        shared = []
        for mine, theirs, back in (
            (self._succ[large], self._succ[small], self._pred),
            (self._pred[large], self._pred[small], self._succ),
        ):
            for other, sealed in theirs.items():
                self.steps += 1
                del back[other][small]
                if other in mine:
                    shared.append(other)
                mine[other] = back[other][large] = sealed or mine.get(other, False)
            theirs.clear()
        return shared

    def _take_position(self, large: int, small: int, stays: int) -> tuple[int, int]:
        """Put the merged group where `stays` stood; returns the two that have become neighbours."""
        goes = small if stays == large else large
        gap = self._before[goes], self._after[goes]
        self._link(*gap)
        if stays == small:
            self._link(self._before[small], large)
            self._link(large, self._after[small])
        return gap

    def _link(self, a: int, b: int) -> None:
        if a >= 0:
            self._after[a] = b
        if b >= 0:
            self._before[b] = a

    def _root(self, node: int) -> int:
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node
