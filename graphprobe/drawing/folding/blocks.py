"""Fold units into blocks: closed regions, separable convolutions, short plain runs."""

from __future__ import annotations

from collections.abc import Sequence, Set

from graphprobe.drawing.folding.merging import straight_runs
from graphprobe.drawing.folding.quotient import Quotient, convs_in, lift, sealed_edges
from graphprobe.drawing.folding.regions import closed_regions
from graphprobe.drawing.graph import ItemGraph

_MAX_BLOCK_CONVS = 12
_MAX_PLAIN_RUN = 6


def fold_blocks(graph: ItemGraph, units: Quotient, keep: Set[str], targets: Set[str]) -> Quotient:
    """The block level over the unit level; a unit that holds a target stays alone."""
    sealed = sealed_edges(graph, units, keep)
    weight = [len(convs_in(graph, items)) for items in units.items]
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
    return lift(units, group)


def _sizes(group: Sequence[int]) -> list[int]:
    """For each node, how many share its group."""
    count: dict[int, int] = {}
    for g in group:
        count[g] = count.get(g, 0) + 1
    return [count[g] for g in group]


def _is_target(graph: ItemGraph, items: Sequence[int], targets: Set[str]) -> bool:
    ops = [graph.items[i].op for i in convs_in(graph, items)]
    filters = [op.input("Filter") for op in ops if op is not None]
    return any(name is not None and name in targets for name in filters)


def _filter_shape(graph: ItemGraph, items: Sequence[int]) -> tuple[int, ...] | None:
    convs = convs_in(graph, items)
    op = graph.items[convs[0]].op if len(convs) == 1 else None
    return graph.program.shape(op.input("Filter"), op.block) if op is not None else None


def _is_depthwise(graph: ItemGraph, items: Sequence[int]) -> bool:
    shape = _filter_shape(graph, items)
    convs = convs_in(graph, items)
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
