"""Fold blocks into the stages of a one-page overview."""

from __future__ import annotations

from collections.abc import Set

from graphprobe.drawing.folding.merging import Merging, straight_runs
from graphprobe.drawing.folding.quotient import Quotient, convs_in, lift, sealed_edges
from graphprobe.drawing.graph import ItemGraph
from graphprobe.drawing.strides import Stride

MAX_STAGES = 24
_FEW_STAGES = 5


def fold_stages(
    graph: ItemGraph, blocks: Quotient, keep: Set[str], stride: list[Stride | None]
) -> Quotient:
    """The stage level over the block level, small enough for one page."""
    sealed = sealed_edges(graph, blocks, keep)
    first = [stride[items[0]] for items in blocks.items]
    convs = [len(convs_in(graph, items)) for items in blocks.items]
    last = [stride[items[-1]] for items in blocks.items]

    def same_stride(u: int, v: int) -> bool:
        if (u, v) in sealed or last[u] != last[v] or first[v] != last[v]:
            return False
        # Where blocks give way to a row of plain convolutions, a backbone gives way to a head.
        row = convs[v] == 1 and any(convs[w] == 1 for w in blocks.dag.succ[v])
        return convs[u] < 2 or not row

    ones = [1] * len(blocks.dag)
    runs = lift(blocks, straight_runs(blocks.dag, same_stride, ones, len(ones)))
    busy = sum(1 for items in runs.items if convs_in(graph, items))
    if busy < _FEW_STAGES and len(blocks.dag) > 4 * _FEW_STAGES:
        cap = -(-len(blocks.dag) // (2 * _FEW_STAGES))
        runs = lift(blocks, straight_runs(blocks.dag, same_stride, ones, cap))
    return _merged(graph, runs, keep)


def _merged(graph: ItemGraph, stages: Quotient, keep: Set[str]) -> Quotient:
    """Merge stages until a page holds them; `parts` goes on naming blocks."""
    if len(stages.dag) <= MAX_STAGES:
        return stages
    sealed = sealed_edges(graph, stages, keep)
    weight = [1 + 4 * len(convs_in(graph, items)) for items in stages.items]
    merging = Merging(stages.dag, weight, lambda u, v: (u, v) not in sealed)
    upper = lift(stages, merging.run(MAX_STAGES))
    parts = [sorted(p for part in parts for p in stages.parts[part]) for parts in upper.parts]
    return Quotient(upper.dag, parts, upper.items, upper.node_of)
