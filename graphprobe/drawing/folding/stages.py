"""Merge blocks into the stages of an overview: straight runs at one stride, then the smallest.

Every merge keeps the quotient acyclic: a node joins its only predecessor or its only successor,
or a successor exactly one layer below it (by longest paths), to which no other path can lead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphprobe.drawing.dag import Dag, contract

JoinTest = Callable[[int, int], bool]
_COARSE = 200


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
        if len(near) != 1 or dag.pred[near[0]] != [node] or not may_join(node, near[0]):
            continue
        if total[group[node]] < cap:
            group[near[0]] = group[node]
            total[group[node]] += weight[near[0]]
    return group


def coarse(dag: Dag, breaks: Sequence[bool]) -> list[int]:
    """At most a few hundred groups of neighbours in the canonical order.

    Groups of consecutive numbers can make no cycle, whatever the graph. A node with a break
    begins a new group.
    """
    size = max(1, -(-len(dag) // _COARSE))
    group, start = [], 0
    for node in range(len(dag)):
        if breaks[node] or node - start >= size:
            start = node
        group.append(start)
    return group


def merge_smallest(
    dag: Dag, cost: Callable[[list[int], list[int]], float], may_join: JoinTest, limit: int
) -> list[list[int]]:
    """Merge pairs, cheapest first, until at most `limit` groups are left or none may join.

    Args:
        dag: a graph of a few hundred nodes.
        cost: of merging two groups of nodes, each ascending.
        may_join: whether an edge may lie inside a group.
        limit: how many groups are wanted.

    Returns:
        The groups, in a topological order of their quotient.
    """
    members = [[node] for node in range(len(dag))]
    original = dag
    while len(dag) > limit:
        found = _cheapest(dag, members, cost, lambda a, b: _joinable(original, a, b, may_join))
        if found is None:
            break
        group = list(range(len(dag)))
        group[found[1]] = found[0]
        dag, parts = contract(dag, group)
        members = [sorted(m for part in group_ for m in members[part]) for group_ in parts]
    return members


def _joinable(dag: Dag, a: list[int], b: list[int], may_join: JoinTest) -> bool:
    inside = set(b)
    return all(may_join(u, v) for u in a for v in dag.succ[u] if v in inside)


def _cheapest(
    dag: Dag,
    members: list[list[int]],
    cost: Callable[[list[int], list[int]], float],
    joinable: Callable[[list[int], list[int]], bool],
) -> tuple[int, int] | None:
    layer = longest_layers(dag)
    edges = [
        (cost(members[u], members[v]), u, v)
        for u in range(len(dag))
        for v in dag.succ[u]
        if layer[v] == layer[u] + 1 or len(dag.succ[u]) == 1
    ]
    return next(((u, v) for _, u, v in sorted(edges) if joinable(members[u], members[v])), None)


def longest_layers(dag: Dag) -> list[int]:
    """The length of the longest path that ends at each node."""
    layer: list[int] = []
    for near in dag.pred:
        layer.append(1 + max((layer[u] for u in near), default=-1))
    return layer
