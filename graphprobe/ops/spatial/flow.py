"""Where H and W are in every value of a program, followed from its inputs through its ops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from graphprobe.ir import Dataflow, Op, Value
from graphprobe.ops.facets import NoMap, OpSpec
from graphprobe.ops.kinds import move_of, reads_size_only
from graphprobe.ops.spatial.info import SpatialInfo, SpatialRule, Step
from graphprobe.ops.spatial.rules import resized, unknown
from graphprobe.ops.table import op_spec

SpatialInfos: TypeAlias = list[SpatialInfo | None]

# Slots that carry content, in the order in which the main input of an op is looked for.
_MAIN = ("Input", "X", "Logits", "x", "Xs")
_SIZES = ("OutSize", "SizeTensor")


def propagate_spatial(flow: Dataflow, ops: Iterable[Op], places: SpatialInfos) -> None:
    """Fill in the places of all that ops write; linear in the program.

    Args:
        flow: of the program.
        ops: in an order in which values are written before they are read.
        places: for each value, by its id; those of the program's inputs are given, and what has a
            place keeps it. A feature map of one pixel (squeeze and excitation) has none.
    """
    sizes: SpatialInfos = [None] * len(flow.values)
    for op in ops:
        _follow(flow, op, places, sizes)


def _follow(flow: Dataflow, op: Op, places: SpatialInfos, sizes: SpatialInfos) -> None:
    """`sizes` has, for a value that holds the size of a tensor, the place of that tensor."""
    main = _main(flow, op, places)
    place = None if main is None else places[main.id]
    rule = _rule(op_spec(op.type))
    resizes = rule is resized
    carried = place if reads_size_only(op.type) else _carried(flow, op, sizes)
    for slot, ids in flow.outputs[op.id].items():
        for i in ids:
            if not resizes:
                sizes[i] = carried
            if slot == "XShape" or places[i] is not None or rule is None:
                continue
            size = _copied(flow, op, sizes) if resizes else None
            shape = flow.program.shape(flow.values[i].name, op.block)
            if main is None or place is None:
                # A resize to the size of a map has its place, whatever its own input had.
                places[i] = size if len(shape or ()) == 4 else None
                continue
            before = flow.program.shape(main.name, op.block)
            places[i] = rule(Step(op, place, before, shape, size))


def _rule(spec: OpSpec | None) -> SpatialRule | None:
    """How an op passes H and W; None where it leaves none."""
    if spec is None:
        return unknown
    return None if isinstance(spec.spatial, NoMap) else spec.spatial


def _carried(flow: Dataflow, op: Op, sizes: SpatialInfos) -> SpatialInfo | None:
    read = (i for ids in flow.inputs[op.id].values() for i in ids)
    return next((sizes[i] for i in read if sizes[i] is not None), None)


def _copied(flow: Dataflow, op: Op, sizes: SpatialInfos) -> SpatialInfo | None:
    slots = flow.inputs[op.id]
    named = (i for slot in _SIZES for i in slots.get(slot, ()))
    return next((sizes[i] for i in named if sizes[i] is not None), None)


def _main(flow: Dataflow, op: Op, places: SpatialInfos) -> Value | None:
    """The input whose H and W the output takes over."""
    slots = flow.inputs[op.id]
    placed = [i for slot in _MAIN for i in slots.get(slot, ()) if places[i] is not None]
    placed = placed or [i for ids in slots.values() for i in ids if places[i] is not None]
    met = {place.strides for i in placed if (place := places[i]) is not None}
    if move_of(op.type) == "concat" and len(met) > 1:
        return None
    return flow.values[placed[0]] if placed else None
