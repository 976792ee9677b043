"""How much smaller than the input each item of a drawing is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from graphprobe.drawing.graph import Item, ItemGraph
from graphprobe.ir import Dataflow, Value
from graphprobe.ops.kinds import kind_of
from graphprobe.ops.spatial.flow import SpatialInfos, propagate_spatial
from graphprobe.ops.spatial.info import SpatialInfo, image_spatial


class Stride(NamedTuple):
    """How many times as high and as wide as a tensor the image is."""

    h: Fraction
    w: Fraction

    def __str__(self) -> str:
        """As ``16`` or ``1/2``; ``16x2`` where height and width differ."""
        return str(self.h) if self.h == self.w else f"{self.h}x{self.w}"


def strides(graph: ItemGraph) -> list[Stride | None]:
    """The stride of what each item ends with; None where it has no H and W."""
    flow = _in_order(graph)
    places: SpatialInfos = [None] * len(flow.values)
    ops = [item.op for item in graph.items if item.op is not None]
    inputs = {item.name for item in graph.items if item.kind == "input"}
    for value in flow.values:
        writer = flow.producer(value)
        if value.name in inputs and (writer is None or kind_of(writer.type) == "input"):
            places[value.id] = image_spatial(graph.program.shape(value.name), flow.consumers(value))
    propagate_spatial(flow, ops, places)
    named = {value.name: places[value.id] for value in flow.values}
    return [_stride(graph, item, places, named) for item in graph.items]


def _in_order(graph: ItemGraph) -> Dataflow:
    """The dataflow in which a read that stands before the only write of its variable means it."""
    flow = graph.flow
    written = {v.name: v.id for v in flow.values if v.producer is not None}

    def meant(value: Value) -> int:
        dangling = value.producer is None and value.name in graph.writers
        return written[value.name] if dangling else value.id

    slots = [
        {slot: [meant(flow.values[i]) for i in ids] for slot, ids in found.items()}
        for found in flow.inputs
    ]
    return replace(flow, inputs=slots)


def _stride(
    graph: ItemGraph, item: Item, places: SpatialInfos, named: dict[str, SpatialInfo | None]
) -> Stride | None:
    place = named.get(item.name)
    if item.kind == "op" and item.op is not None:
        ids = (i for ids in graph.flow.outputs[item.op.id].values() for i in ids)
        main = (places[i] for i in ids if graph.flow.values[i].name == item.name)
        place = next(main, None)
    if place is None or place.h is None:
        return None
    return Stride(_near(place.down_h), _near(place.down_w))


def _near(stride: float) -> Fraction:
    return Fraction(stride).limit_denominator(64)
