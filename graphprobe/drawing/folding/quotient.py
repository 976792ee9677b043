"""One level of folding, and what the levels have in common."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from graphprobe.drawing.dag import Dag, contract
from graphprobe.drawing.graph import ItemGraph
from graphprobe.ops.kinds import is_convolution


@dataclass(slots=True)
class Quotient:
    """One level of folding.

    Args:
        dag: its nodes and edges.
        parts: for each node, the nodes of the level below, ascending.
        items: for each node, the items, ascending.
        node_of: item -> node.
    """

    dag: Dag
    parts: list[list[int]]
    items: list[list[int]]
    node_of: list[int]


def lift(below: Quotient, group: Sequence[int]) -> Quotient:
    """The level above `below` that puts its nodes together by group number."""
    dag, parts = contract(below.dag, group)
    items = [sorted(i for part in members for i in below.items[part]) for members in parts]
    node_of = [0] * len(below.node_of)
    for node, inside in enumerate(items):
        for item in inside:
            node_of[item] = node
    return Quotient(dag, parts, items, node_of)


def sealed_edges(graph: ItemGraph, level: Quotient, keep: Set[str]) -> set[tuple[int, int]]:
    """Edges that must stay visible: they carry a kept variable, or touch an input or output."""
    return {
        (level.node_of[u], level.node_of[v])
        for (u, v), names in graph.dag.edges.items()
        if not keep.isdisjoint(names) or graph.items[u].kind != "op" or graph.items[v].kind != "op"
    }


def convs_in(graph: ItemGraph, items: Sequence[int]) -> list[int]:
    """Those of some items that are convolutions."""
    found = []
    for item in items:
        op = graph.items[item].op
        if op is not None and is_convolution(op.type):
            found.append(item)
    return found
