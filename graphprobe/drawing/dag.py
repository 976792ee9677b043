"""Directed acyclic graphs: nodes 0..n-1, numbered so that edges go upwards.

Every level of folding is such a graph. An edge may have the names of the variables that flow
along. `Dag.to_networkx` gives the same graph to networkx, whose import takes 0.2 s: as long as a
whole small drawing, so it is imported where one of its algorithms or writers is used. The numbering
is depth-first, so a straight chain has consecutive numbers, which
`networkx.lexicographical_topological_sort` does not give; that function also refuses a cycle,
which a damaged program may have. `networkx.quotient_graph` takes 3 s for 1,500 nodes, so `contract`
builds the quotient itself, in time linear in nodes and edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from graphprobe.drawing.installed import networkx

if TYPE_CHECKING:
    import networkx as nx

Edge: TypeAlias = tuple[int, int]


class Dag:
    """A graph; nothing of it may be changed.

    Args:
        succ: the successors of each node, ascending.
        pred: the predecessors of each node, ascending.
        edges: every edge with the names of its variables, in ascending order.
    """

    __slots__ = ("edges", "pred", "succ")

    def __init__(self, size: int, edges: Mapping[Edge, tuple[str, ...]]) -> None:
        self.edges = edges
        self.succ: list[list[int]] = [[] for _ in range(size)]
        self.pred: list[list[int]] = [[] for _ in range(size)]
        for u, v in edges:
            self.succ[u].append(v)
            self.pred[v].append(u)

    def __len__(self) -> int:
        return len(self.succ)

    def to_networkx(self) -> nx.DiGraph[int]:
        """The same graph; its edges have the attribute ``vars``.

        Raises:
            MissingDependency: networkx is not installed.
        """
        graph: nx.DiGraph[int] = networkx().DiGraph()
        graph.add_nodes_from(range(len(self)))
        graph.add_edges_from((u, v, {"vars": names}) for (u, v), names in self.edges.items())
        return graph


def make_dag(size: int, edges: Iterable[Edge] | Mapping[Edge, tuple[str, ...]]) -> Dag:
    """The graph with `size` nodes and these edges.

    Args:
        size: how many nodes.
        edges: the edges; where they are a mapping, with the names of their variables.
    """
    if isinstance(edges, Mapping):
        return Dag(size, {edge: edges[edge] for edge in sorted(edges)})
    return Dag(size, dict.fromkeys(sorted(edges), ()))


def from_successors(
    successors: Sequence[Sequence[int]],
    keys: Sequence[Any],
    names: Mapping[Edge, tuple[str, ...]] | None = None,
) -> tuple[Dag, list[int], int]:
    """Number a graph topologically; where that leaves a choice, by `keys`.

    Args:
        successors: the successors of each node; repetitions and cycles are allowed.
        keys: one sortable key a node; unequal keys make the result independent of the input's
            numbering.
        names: the variables on each edge (by the old numbers).

    Returns:
        The graph, the old number of each new node, and how many edges were dropped because
        they close a cycle (or join a node to itself).
    """
    order = topological_order(successors, keys)
    rank = [0] * len(order)
    for new, old in enumerate(order):
        rank[old] = new
    edges: dict[Edge, tuple[str, ...]] = {}
    found = 0
    for new, old in enumerate(order):
        near = set(successors[old])
        found += len(near)
        for other in near:
            if rank[other] > new:
                edges[new, rank[other]] = () if names is None else names[old, other]
    return make_dag(len(order), edges), order, found - len(edges)


def topological_order(successors: Sequence[Sequence[int]], keys: Sequence[Any]) -> list[int]:
    """The nodes so that edges go forwards, depth first; where that leaves a choice, by `keys`.

    Kahn's algorithm with a stack: a node follows as soon as its last predecessor is out. Of a
    cycle, the smallest node goes first.
    """
    count = [0] * len(successors)
    for node, near in enumerate(successors):
        for other in near:
            count[other] += other != node
    by_key = sorted(range(len(successors)), key=lambda node: keys[node])
    position = {node: at for at, node in enumerate(by_key)}
    stack = [node for node in reversed(by_key) if count[node] == 0]
    done = [False] * len(successors)
    order: list[int] = []
    waiting = iter(by_key)
    while len(order) < len(successors):
        if not stack:
            # Only a cycle leaves nodes behind: its smallest goes first.
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
        stack.extend(sorted(ready, key=position.__getitem__, reverse=True))
    return order


def contract(dag: Dag, group_of: Sequence[int]) -> tuple[Dag, list[list[int]]]:
    """Merge nodes that share a group number; edges keep the variables of what they stand for.

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
    home = [index[group] for group in group_of]
    found: dict[Edge, dict[str, None]] = {}
    near: list[list[int]] = [[] for _ in groups]
    for (u, v), names in dag.edges.items():
        edge = home[u], home[v]
        if edge[0] == edge[1]:
            continue
        if edge not in found:
            found[edge] = {}
            near[edge[0]].append(edge[1])
        found[edge].update(dict.fromkeys(names))
    quotient, order, dropped = from_successors(
        near,
        [group[0] for group in groups],
        {edge: tuple(names) for edge, names in found.items()},
    )
    if dropped:
        raise ValueError(f"{dropped} edges of the quotient close a cycle")
    return quotient, [groups[old] for old in order]
