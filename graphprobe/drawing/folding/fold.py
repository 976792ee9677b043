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

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from graphprobe.collector import collector_paused
from graphprobe.drawing.folding.blocks import fold_blocks
from graphprobe.drawing.folding.overview import MAX_STAGES, fold_stages
from graphprobe.drawing.folding.quotient import Quotient, lift
from graphprobe.drawing.folding.units import fold_chains
from graphprobe.drawing.graph import ItemGraph, item_graph
from graphprobe.drawing.roles import Owned, owned_ops
from graphprobe.drawing.strides import Stride, strides
from graphprobe.ir import Program

Level: TypeAlias = Literal["stage", "block", "unit", "op"]


@dataclass(slots=True, repr=False)
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
    strides: list[Stride | None]
    owned: Owned = field(default_factory=Owned)

    def __repr__(self) -> str:
        levels = ", ".join(f"{len(found.dag)} {level}" for level, found in self.levels.items())
        return f"<Fold: {levels}>"

    def variables(self, level: Level) -> Mapping[tuple[int, int], tuple[str, ...]]:
        """The variables on each edge of a level."""
        return self.levels[level].dag.edges


@collector_paused()
def fold(program: Program, keep: Set[str] = frozenset(), targets: Set[str] = frozenset()) -> Fold:
    """Fold a program at every level. Linear, but for sorting.

    Args:
        program: any program.
        keep: names of variables that must stay between nodes: pairs (fetches are added).
        targets: filters of convolutions that a config prunes; each stays a unit of its own.
    """
    graph = item_graph(program)
    kept = frozenset(keep) | _fetched(graph)
    stride = strides(graph)
    single = list(range(len(graph.items)))
    ops = Quotient(graph.dag, [[i] for i in single], [[i] for i in single], single)
    units = lift(ops, fold_chains(graph, kept))
    blocks = fold_blocks(graph, units, kept, targets)
    stages = fold_stages(graph, blocks, kept, stride)
    levels: dict[Level, Quotient] = {"op": ops, "unit": units, "block": blocks, "stage": stages}
    return Fold(graph, levels, kept, stride, owned_ops(graph.flow))


def _fetched(graph: ItemGraph) -> frozenset[str]:
    return frozenset(item.name for item in graph.items if item.kind == "output")


__all__ = ["MAX_STAGES", "Fold", "Level", "Quotient", "fold"]
