"""Fold a program: ops into units, units into blocks, blocks into stages.

Rules:
    1. Only forward ops are folded and drawn; backward and optimizer ops are counted on the
       forward op that they belong to.
    2. A unit is a convolution with its bias, norm and activation (or any other op with what
       follows it straight on).
    3. A block is a closed region of units (residual, squeeze-and-excite, inception), a depthwise
       convolution with the 1x1 convolution after it, or a short run without convolutions.
    4. A stage is a run of blocks at one stride; the smallest stages are merged until a page
       holds them.
    5. No fold crosses a variable that must stay visible (a pair, a fetch); no block holds a
       prune target together with another unit.
    6. Each level is a quotient of the one below and has no cycle.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from graphprobe.ir import Program
from graphprobe.render._chains import CONVOLUTIONS, fold_chains
from graphprobe.render._dag import Dag, contract
from graphprobe.render._items import ItemGraph, item_graph
from graphprobe.render._regions import closed_regions
from graphprobe.render._roles import Owned, owned_ops
from graphprobe.render._scale import Scale, strides
from graphprobe.render._stages import coarse, merge_smallest, straight_runs

if TYPE_CHECKING:
    import networkx as nx

Level: TypeAlias = Literal["stage", "block", "unit", "op"]
MAX_STAGES = 24
_FEW_STAGES = 5
_MAX_BLOCK_CONVS = 12
_MAX_PLAIN_RUN = 6
_MANY = 1500


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


@dataclass(slots=True)
class Fold:
    """A folded program.

    Args:
        graph: the items that are folded.
        levels: from ``op`` (every item for itself) to ``stage``.
        keep: the variables that no fold crosses.
        strides: of each item's output, relative to the input.
        owned: the backward and optimizer ops of each forward op.
    """

    graph: ItemGraph
    levels: dict[Level, Quotient]
    keep: frozenset[str]
    strides: list[Scale]
    owned: Owned = field(default_factory=Owned)

    def view(self, level: Level) -> nx.DiGraph[int]:
        """The folded graph of a level: node attribute ``items``, edge attribute ``vars``."""
        import networkx as nx

        quotient = self.levels[level]
        view: nx.DiGraph[int] = nx.DiGraph()
        for node, items in enumerate(quotient.items):
            view.add_node(node, items=tuple(items))
        for (u, v), names in self.variables(level).items():
            view.add_edge(u, v, vars=names)
        return view

    def variables(self, level: Level) -> dict[tuple[int, int], tuple[str, ...]]:
        """The variables on each edge of a level."""
        node_of = self.levels[level].node_of
        found: dict[tuple[int, int], dict[str, None]] = {}
        for (u, v), names in sorted(self.graph.carries.items()):
            if node_of[u] != node_of[v]:
                found.setdefault((node_of[u], node_of[v]), {}).update(dict.fromkeys(names))
        return {edge: tuple(names) for edge, names in found.items()}


def fold(program: Program, keep: Set[str] = frozenset(), targets: Set[str] = frozenset()) -> Fold:
    """Fold a program at every level. Linear, but for sorting.

    Args:
        program: any program.
        keep: names of variables that must stay between nodes: pairs (fetches are added).
        targets: filters of convolutions that a config prunes; each stays a unit of its own.
    """
    graph = item_graph(program)
    kept = frozenset(keep) | _fetched(graph)
    scale = strides(graph)
    single = list(range(len(graph.items)))
    ops = Quotient(graph.dag, [[i] for i in single], [[i] for i in single], single)
    units = _lift(ops, fold_chains(graph, kept))
    blocks = _blocks(graph, units, kept, targets)
    stages = _stages(graph, blocks, kept, scale)
    levels: dict[Level, Quotient] = {"op": ops, "unit": units, "block": blocks, "stage": stages}
    return Fold(graph, levels, kept, scale, owned_ops(graph.flow))


def _fetched(graph: ItemGraph) -> frozenset[str]:
    return frozenset(item.name for item in graph.items if item.kind == "output")


def _lift(below: Quotient, group: Sequence[int]) -> Quotient:
    """The level above `below` that puts its nodes together by group number."""
    dag, parts = contract(below.dag, group)
    items = [sorted(i for part in members for i in below.items[part]) for members in parts]
    node_of = [0] * len(below.node_of)
    for node, inside in enumerate(items):
        for item in inside:
            node_of[item] = node
    return Quotient(dag, parts, items, node_of)


def _sealed(graph: ItemGraph, level: Quotient, keep: Set[str]) -> set[tuple[int, int]]:
    """Edges that must stay visible: they carry a kept variable, or touch an input or output."""
    return {
        (level.node_of[u], level.node_of[v])
        for (u, v), names in graph.carries.items()
        if not keep.isdisjoint(names) or graph.items[u].kind != "op" or graph.items[v].kind != "op"
    }


def _convs(graph: ItemGraph, items: Sequence[int]) -> list[int]:
    found = []
    for item in items:
        op = graph.items[item].op
        if op is not None and op.type in CONVOLUTIONS:
            found.append(item)
    return found


def _blocks(graph: ItemGraph, units: Quotient, keep: Set[str], targets: Set[str]) -> Quotient:
    sealed = _sealed(graph, units, keep)
    weight = [len(_convs(graph, items)) for items in units.items]
    alone = [_is_target(graph, items, targets) for items in units.items]

    def may_join(u: int, v: int) -> bool:
        return (u, v) not in sealed and not alone[u] and not alone[v]

    regions = closed_regions(units.dag, weight, _MAX_BLOCK_CONVS, may_join)
    size = _sizes(regions)

    def is_step(u: int, v: int) -> bool:
        if not may_join(u, v) or size[u] > 1 or size[v] > 1:
            return False
        if weight[u] or weight[v]:
            return _is_depthwise(graph, units.items[u]) and _is_pointwise(graph, units.items[v])
        return True

    runs = straight_runs(units.dag, is_step, [1] * len(units.dag), _MAX_PLAIN_RUN)
    group = [region if size[u] > 1 else runs[u] for u, region in enumerate(regions)]
    return _lift(units, group)


def _sizes(group: Sequence[int]) -> list[int]:
    """For each node, how many share its group."""
    count: dict[int, int] = {}
    for g in group:
        count[g] = count.get(g, 0) + 1
    return [count[g] for g in group]


def _is_target(graph: ItemGraph, items: Sequence[int], targets: Set[str]) -> bool:
    ops = [graph.items[i].op for i in _convs(graph, items)]
    filters = [op.input("Filter") for op in ops if op is not None]
    return any(name is not None and name in targets for name in filters)


def _filter_shape(graph: ItemGraph, items: Sequence[int]) -> tuple[int, ...] | None:
    convs = _convs(graph, items)
    op = graph.items[convs[0]].op if len(convs) == 1 else None
    return graph.program.shape(op.input("Filter"), op.block) if op is not None else None


def _is_depthwise(graph: ItemGraph, items: Sequence[int]) -> bool:
    shape = _filter_shape(graph, items)
    convs = _convs(graph, items)
    op = graph.items[convs[0]].op if len(convs) == 1 else None
    return (
        op is not None
        and shape is not None
        and len(shape) > 1
        and shape[1] == 1 != shape[0] == (op.get_int("groups", 1))
    )


def _is_pointwise(graph: ItemGraph, items: Sequence[int]) -> bool:
    shape = _filter_shape(graph, items)
    return shape is not None and len(shape) == 4 and shape[2:] == (1, 1)


def _stages(graph: ItemGraph, blocks: Quotient, keep: Set[str], scale: list[Scale]) -> Quotient:
    sealed = _sealed(graph, blocks, keep)
    first = [scale[items[0]] for items in blocks.items]
    convs = [len(_convs(graph, items)) for items in blocks.items]
    last = [scale[items[-1]] for items in blocks.items]

    def same_stride(u: int, v: int) -> bool:
        if (u, v) in sealed or last[u] != last[v] or first[v] != last[v]:
            return False
        # Where blocks give way to a row of plain convolutions, a backbone gives way to a head.
        row = convs[v] == 1 and any(convs[w] == 1 for w in blocks.dag.succ[v])
        return convs[u] < 2 or not row

    ones = [1] * len(blocks.dag)
    runs = _lift(blocks, straight_runs(blocks.dag, same_stride, ones, len(ones)))
    busy = sum(1 for items in runs.items if _convs(graph, items))
    if busy < _FEW_STAGES and len(blocks.dag) > 4 * _FEW_STAGES:
        cap = -(-len(blocks.dag) // (2 * _FEW_STAGES))
        runs = _lift(blocks, straight_runs(blocks.dag, same_stride, ones, cap))
    return _merged(graph, runs, keep)


def _merged(graph: ItemGraph, stages: Quotient, keep: Set[str]) -> Quotient:
    """Merge stages until a page holds them; `parts` goes on naming blocks."""
    if len(stages.dag) <= MAX_STAGES:
        return stages
    if len(stages.dag) > _MANY:
        sealed = _sealed(graph, stages, keep)
        breaks = [any((u, v) in sealed for u in stages.dag.pred[v]) for v in range(len(stages.dag))]
        upper = _lift(stages, coarse(stages.dag, breaks))
        stages = Quotient(upper.dag, _below(stages, upper), upper.items, upper.node_of)
    sealed = _sealed(graph, stages, keep)
    weight = [1 + 4 * len(_convs(graph, items)) for items in stages.items]

    def cost(a: list[int], b: list[int]) -> float:
        return sum(weight[n] for n in a) + sum(weight[n] for n in b)

    groups = merge_smallest(stages.dag, cost, lambda u, v: (u, v) not in sealed, MAX_STAGES)
    group = [0] * len(stages.dag)
    for number, members in enumerate(groups):
        for member in members:
            group[member] = number
    upper = _lift(stages, group)
    return Quotient(upper.dag, _below(stages, upper), upper.items, upper.node_of)


def _below(lower: Quotient, upper: Quotient) -> list[list[int]]:
    return [sorted(p for part in parts for p in lower.parts[part]) for parts in upper.parts]
