"""Fold straight runs of ops into units: a convolution with its bias, norm and activation."""

from __future__ import annotations

from collections.abc import Set

from graphprobe.drawing.graph import Item, ItemGraph, is_state
from graphprobe.ir import Op
from graphprobe.ops.kinds import computed_by, is_activation, is_identity, is_norm, is_quantizer

_QUANT, _START, _BIAS, _NORM, _ACT = -1, 0, 1, 2, 3


def fold_chains(graph: ItemGraph, keep: Set[str]) -> list[int]:
    """A unit number for each item: items of one number are one unit.

    A run goes on while the step has exactly one consumer, that consumer reads nothing else but
    parameters, and the variable between them is not in `keep`. Ops that read no variable at all
    (constants) join their only consumer.

    Args:
        graph: the items.
        keep: variables that must stay visible: pairs, fetches, prune targets.
    """
    unit = list(range(len(graph.items)))
    phase = [_phase(graph, item) for item in graph.items]
    for at in range(len(unit)):
        after = _only_step(graph, at, keep)
        if after is None:
            continue
        if _passes(graph.items[after]):
            unit[after], phase[after] = unit[at], phase[at]
        elif phase[after] > phase[at]:
            unit[after] = unit[at]
    return _absorb_constants(graph, unit, keep)


def _only_step(graph: ItemGraph, at: int, keep: Set[str]) -> int | None:
    """The one item that follows, where it follows nothing else."""
    after = next(iter(graph.dag.succ[at]), None)
    if after is None or len(graph.dag.succ[at]) != 1 or len(graph.dag.pred[after]) != 1:
        return None
    if graph.items[at].kind != "op" or graph.items[after].kind != "op":
        return None
    return after if keep.isdisjoint(graph.carried(at, after)) else None


def _phase(graph: ItemGraph, item: Item) -> int:
    if item.op is None:
        return _START
    if is_bias(graph, item.op):
        return _BIAS
    if is_quantizer(item.op.type):
        return _QUANT
    if is_norm(item.op.type):
        return _NORM
    return _ACT if is_activation(item.op.type) else _START


def _passes(item: Item) -> bool:
    if item.op is None:
        return False
    type_ = item.op.type
    return is_identity(type_) or is_quantizer(type_) or computed_by(type_) == "affine"


def is_bias(graph: ItemGraph, op: Op) -> bool:
    """Whether an op adds a parameter to a feature."""
    name = op.input("Y")
    return (
        computed_by(op.type) == "add"
        and name is not None
        and is_state(graph.program, name, op.block)
    )


def _absorb_constants(graph: ItemGraph, unit: list[int], keep: Set[str]) -> list[int]:
    for at, item in enumerate(graph.items):
        if item.kind != "op" or item.op is None or graph.dag.pred[at]:
            continue
        if len(graph.dag.succ[at]) == 1:
            after = graph.dag.succ[at][0]
            if graph.items[after].kind == "op" and keep.isdisjoint(graph.carried(at, after)):
                unit[at] = unit[after]
    return unit
