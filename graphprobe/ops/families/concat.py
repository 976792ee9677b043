"""Tensors one after the other (with offsets) or stacked along a new axis."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.layout import ChannelLayout, chain, own
from graphprobe.ops.channels.rules import fixed
from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    PolicyBoundary,
    Port,
    Propagate,
    TieChannels,
    axis_of,
    rank_of,
)
from graphprobe.ops.facets import family, operators
from graphprobe.ops.shapes.movement import concat_sizes, stacked_sizes
from graphprobe.ops.spatial.rules import same, stacked
from graphprobe.ops.work.rules import MOVES


def _concat(view: OpContext) -> Iterator[Effect]:
    ports = view.ports("X")
    carried = [p.layout for p in ports if p.layout is not None]
    if not carried:
        return
    for layout in carried:
        yield PolicyBoundary("concat", layout)
    rank = next((r for r in (rank_of(p.shape) for p in ports) if r is not None), None)
    axis = axis_of(view.op.get_int("axis"), rank)
    if axis is None or view.port("AxisTensor") is not None:
        yield from fixed(view, "its axis is computed while the network runs", "concat")
    elif any(layout.axis == axis for layout in carried):
        yield from _joined(view, ports, axis)
    else:
        yield from _side_by_side(view, ports, carried[0], "Out", carried[0].axis)


def _joined(view: OpContext, ports: tuple[Port, ...], axis: int) -> Iterator[Effect]:
    """Along the channels: what cannot be pruned keeps its place."""
    parts = []
    for i, port in enumerate(ports):
        layout = port.layout
        if layout is None and port.size(axis) > 0:
            layout = own((f"{port.name}@{view.op.id}.{i}", axis), port.size(axis), axis)
            # Free it is of no group; what is added to it later must stay with it.
            detail = f"{port.name}, which it joins, cannot be pruned"
            yield BlockChannels(layout, detail, "concat", port.name)
        if layout is None or layout.axis != axis:
            yield from fixed(view, f"{port.name}, which it joins, has channels elsewhere", "concat")
            return
        parts.append(layout)
    whole = chain(axis, parts)
    if whole is None:
        yield from fixed(view, "its parts repeat channels in different ways", "concat")
    else:
        yield Propagate("Out", whole)


def _side_by_side(
    view: OpContext, ports: tuple[Port, ...], first: ChannelLayout, out: str, axis: int
) -> Iterator[Effect]:
    """Along another axis: every operand has the same channels at the same places."""
    for port in ports:
        if port.layout is None:
            detail = f"{port.name}, which it joins, cannot be pruned"
            for other in view.carrying():
                if other.layout is not None:
                    yield BlockChannels(other.layout, detail, "concat", port.name)
            return
        if port.layout is not first:
            yield TieChannels(first, port.layout)
    yield Propagate(out, first.at(axis))


def _stack(view: OpContext) -> Iterator[Effect]:
    ports = view.ports("X")
    first = next((p.layout for p in ports if p.layout is not None), None)
    if first is None:
        return
    for port in view.carrying():
        if port.layout is not None:
            yield PolicyBoundary("concat", port.layout)
    rank = next((r for r in (rank_of(p.shape) for p in ports) if r is not None), None)
    axis = axis_of(view.op.get_int("axis"), None if rank is None else rank + 1)
    if axis is None:
        yield from fixed(view, "the rank of its operands is not known", "concat")
    else:
        yield from _side_by_side(view, ports, first, "Y", first.axis + (axis <= first.axis))


_PIR = """
concat : X AxisTensor@axis > Out
stack : X > Y
"""

FAMILY = family(
    "concat",
    operators(
        "concat",
        kind="movement",
        channels=_concat,
        spatial=same,
        shapes=concat_sizes,
        work=MOVES,
        move="concat",
    ),
    operators(
        "stack",
        kind="movement",
        channels=_stack,
        spatial=stacked,
        shapes=stacked_sizes,
        work=MOVES,
        move="stack",
    ),
    pir=_PIR,
)
