"""A directed acyclic graph of integers, numbered so that every edge goes upwards.

The numbering is depth-first, so a straight chain has consecutive numbers. Everything here is
linear in nodes and edges (times a logarithm for sorting) and free of recursion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Dag:
    """Nodes 0..n-1; ``pred[v]`` and ``succ[v]`` are ascending, without repetitions.

    Args:
        succ: the successors of each node, all greater than the node.
        pred: the predecessors of each node, all smaller than the node.
    """

    succ: list[list[int]] = field(default_factory=list)
    pred: list[list[int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.succ)


def from_successors(
    successors: Sequence[Sequence[int]], keys: Sequence[Any]
) -> tuple[Dag, list[int], int]:
    """Number a graph topologically; where that leaves a choice, by `keys`.

    Args:
        successors: the successors of each node; repetitions and cycles are allowed.
        keys: one sortable key a node; unequal keys make the result independent of the input's
            numbering.

    Returns:
        The graph, the old number of each new node, and how many edges were dropped because
        they close a cycle (or join a node to itself).
    """
    order = _depth_first(successors, keys)
    rank = [0] * len(order)
    for new, old in enumerate(order):
        rank[old] = new
    dag = Dag([[] for _ in order], [[] for _ in order])
    dropped = 0
    for new, old in enumerate(order):
        near = {rank[other] for other in successors[old]}
        dag.succ[new] = sorted(other for other in near if other > new)
        dropped += len(near) - len(dag.succ[new])
    for node, near_list in enumerate(dag.succ):
        for other in near_list:
            dag.pred[other].append(node)
    return dag, order, dropped


def _depth_first(successors: Sequence[Sequence[int]], keys: Sequence[Any]) -> list[int]:
    """Kahn's algorithm with a stack: a node follows as soon as its last predecessor is out."""
    count = [0] * len(successors)
    for node, near in enumerate(successors):
        for other in near:
            count[other] += other != node
    by_key = sorted(range(len(successors)), key=lambda node: keys[node])
    place = {node: at for at, node in enumerate(by_key)}
    stack = [node for node in reversed(by_key) if count[node] == 0]
    done = [False] * len(successors)
    order: list[int] = []
    waiting = iter(by_key)
    while len(order) < len(successors):
        if not stack:
            # Only a cycle leaves nodes behind: let its smallest go first.
            stack.append(next(node for node in waiting if not done[node]))
        node = stack.pop()
        if done[node]:
            continue
        done[node] = True
        order.append(node)
        ready = []
        for other in successors[node]:
            if other != node:
                count[other] -= 1
                if count[other] == 0 and not done[other]:
                    ready.append(other)
        stack.extend(sorted(ready, key=place.__getitem__, reverse=True))
    return order


def contract(dag: Dag, group_of: Sequence[int]) -> tuple[Dag, list[list[int]]]:
    """Merge nodes that share a group number.

    Args:
        dag: the graph.
        group_of: any number for each node; the caller sees to it that the quotient is acyclic.

    Returns:
        The quotient and the members of each of its nodes, ascending.

    Raises:
        ValueError: the groups would make a cycle (a defect of the caller).
    """
    members: dict[int, list[int]] = {}
    for node, group in enumerate(group_of):
        members.setdefault(group, []).append(node)
    groups = list(members.values())
    index = {group: at for at, group in enumerate(members)}
    place = [index[group] for group in group_of]
    successors: list[set[int]] = [set() for _ in groups]
    for node, near in enumerate(dag.succ):
        successors[place[node]].update(place[other] for other in near)
    for at, found in enumerate(successors):
        found.discard(at)
    quotient, order, dropped = from_successors(
        [sorted(found) for found in successors], [group[0] for group in groups]
    )
    if dropped:
        raise ValueError(f"{dropped} edges of the quotient close a cycle")
    return quotient, [groups[old] for old in order]
