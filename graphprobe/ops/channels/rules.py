"""What many rules share: operands that must be pruned alike, and what nothing is known of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from graphprobe.ops.channels.layout import MAX_EXPLODED, ChannelLayout, stretch
from graphprobe.ops.channels.spec import (
    AttrUpdate,
    BlockChannels,
    CountsAlike,
    Effect,
    OpContext,
    PolicyBoundary,
    Port,
    Propagate,
    PruneAlong,
    Rule,
    TieChannels,
)

if TYPE_CHECKING:
    from graphprobe.ir.findings import Reason


def fixed(view: OpContext, detail: str, reason: Reason | None = None) -> Iterator[Effect]:
    """Nothing that reaches this op can be pruned."""
    for port in view.carrying():
        if port.layout is not None:
            yield BlockChannels(port.layout, detail, reason)


def together(layout: ChannelLayout, other: Port, axis: int) -> Iterator[Effect]:
    """An operand of the same rank joins channels that are carried along `axis`."""
    if other.layout is not None:
        yield from _both(layout, other.layout, axis, meets=other.param is None)
    elif other.param is not None and other.size(axis) == layout.extent:
        yield PruneAlong(other.param, layout.at(axis - other.offset))
    elif other.size(axis) != 1:
        detail = f"{other.name}, which joins it, cannot be pruned"
        yield BlockChannels(layout, detail, "residual", other.name)


def _both(
    layout: ChannelLayout, other: ChannelLayout, axis: int, *, meets: bool
) -> Iterator[Effect]:
    if other.axis != axis or (
        other.extent != layout.extent and 1 not in (other.extent, layout.extent)
    ):
        yield BlockChannels(layout, "it joins a tensor whose channels lie elsewhere")
        yield BlockChannels(other, "it joins a tensor whose channels lie elsewhere")
    elif other.extent != layout.extent:
        single = other if other.extent == 1 else layout
        yield BlockChannels(single, "its one channel is broadcast over the others", "residual")
    else:
        same = (layout.runs, layout.inner, layout.outer) == (other.runs, other.inner, other.outer)
        if same:
            return  # a feature times its own gate, x * sigmoid(x): no other layer's channels
        if meets:
            yield PolicyBoundary("residual", layout)
            yield PolicyBoundary("residual", other)
        yield TieChannels(layout, other)


def passes(*slots: str, out: str = "Out") -> Rule:
    """A rule: the output carries what the first of these inputs carries."""

    def rule(view: OpContext) -> Iterator[Effect]:
        for slot in slots:
            layout = view.layout(slot)
            if layout is not None:
                yield Propagate(out, layout)
                return

    return rule


def blocks(detail: str, reason: Reason | None = None) -> Rule:
    """A rule: whatever reaches the op cannot be pruned."""

    def rule(view: OpContext) -> Iterator[Effect]:
        yield from fixed(view, detail, reason)

    return rule


def nothing(_: OpContext) -> Iterator[Effect]:
    """A rule: the op reads only sizes, so nothing of the channels goes on and nothing is lost."""
    return iter(())


def equal_stretches(layout: ChannelLayout, count: int) -> Iterator[Effect]:
    """Tie the same offset of each of `count` equal stretches of an axis."""
    length, left = divmod(layout.extent, count)
    first = None if left or count > MAX_EXPLODED else stretch(layout, 0, length)
    if first is None:
        yield BlockChannels(
            layout, f"its channels do not fall into {count} equal groups", "grouped"
        )
        return
    for i in range(1, count):
        part = stretch(layout, i * length, (i + 1) * length)
        if part is not None:
            yield TieChannels(first, part)


def neighbours_alike(layout: ChannelLayout, count: int) -> Iterator[Effect]:
    """Tie each `count` neighbours along an axis, so that they stay or go as one."""
    if layout.extent > MAX_EXPLODED or count < 1:
        yield BlockChannels(layout, "its channels cannot be tied one by one")
        return
    for start in range(0, layout.extent - count + 1, count):
        first = stretch(layout, start, start + 1)
        for i in range(start + 1, start + count):
            part = stretch(layout, i, i + 1)
            if first is not None and part is not None:
                yield TieChannels(first, part)


def target_follows(view: OpContext, layout: ChannelLayout) -> Iterator[Effect]:
    """Make the entry that counts channels in a given shape count what stays.

    Args:
        view: the op that is given a shape.
        layout: the channels behind it.
    """
    at = layout.axis
    entry = view.target[at] if at < len(view.target) else None
    if entry is None or entry.size in (0, -1):
        return  # copied from the input, or what is left: it follows by itself
    if entry.source is not None:
        op, attr, index = entry.source
        if op != view.op.id:
            yield AttrUpdate(attr, entry.size, layout, index, source=op)
        given = view.op.get_ints("shape")
        if at < len(given) and given[at] > 0:
            yield AttrUpdate("shape", given, layout, at)
    elif entry.measured is not None:
        yield CountsAlike(layout, entry.measured, entry.divided)
    else:
        yield BlockChannels(layout, RUNTIME_SHAPE)


RUNTIME_SHAPE = "its target shape is computed while the network runs"
