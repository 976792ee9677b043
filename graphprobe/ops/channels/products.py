"""Products of two features: which channels pass, and which are summed over."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.layout import ChannelLayout
from graphprobe.ops.channels.rules import fixed
from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    PolicyBoundary,
    Port,
    Propagate,
    SumChannels,
    TieChannels,
)

_SUMMED = "it sums over these channels, each times one of another feature"
NO_WEIGHT = "it multiplies two tensors, neither of which is a weight on the right"


def product(view: OpContext, x: Port, y: Port, turned_x: bool, turned_y: bool) -> Iterator[Effect]:
    """Two features: channels pass along the axes of a batch (heads), of rows and of columns.

    Along the axis that is summed over (the features of a query and of a key) each is multiplied
    with one of the other feature: both go together, where zeros in their layers arrive here.
    """
    ranks = len(x.shape or ()), len(y.shape or ())
    if min(ranks) < 2:
        yield from fixed(view, NO_WEIGHT)
        return
    rank = max(ranks)
    sides = [(x, rank - ranks[0], turned_x, 1), (y, rank - ranks[1], turned_y, 0)]
    passing: ChannelLayout | None = None
    axes = rank - 2 if turned_x else rank - 1, rank - 1 if turned_y else rank - 2
    together = _summed_alike(x, y, axes[0] - sides[0][1], axes[1] - sides[1][1])
    yield from together
    for port, missing, turned, summed in sides:
        if port.layout is None:
            continue
        axis = port.layout.axis + missing
        matrix = axis - (rank - 2)
        if matrix >= 0 and (1 - matrix if turned else matrix) == summed:
            if not together:
                yield BlockChannels(port.layout, _SUMMED)
        elif passing is None:
            passing = port.layout.at(axis if matrix < 0 else rank - 1 - summed)
            if matrix < 0:
                yield from _batched(port.layout, axis, sides[summed])
            yield Propagate("Out", passing)
        elif matrix >= 0 and passing.axis != rank - 1 - summed:
            yield Propagate("Out", port.layout.at(rank - 1 - summed), second=True)
        elif matrix >= 0 or passing.axis != axis:
            yield BlockChannels(port.layout, "channels run along another axis of its product")


def _summed_alike(x: Port, y: Port, x_axis: int, y_axis: int) -> list[Effect]:
    """Both features carry channels along the axis that is summed over, and no fewer."""
    a, b = x.layout, y.layout
    if a is None or b is None or (a.axis, b.axis) != (x_axis, y_axis) or a.extent != b.extent:
        return []
    if not (x.clears or y.clears):
        return []
    b = b.at(a.axis)
    bounds = [PolicyBoundary("residual", a), PolicyBoundary("residual", b)]
    return [*bounds, TieChannels(a, b), SumChannels(a)]


def _batched(
    layout: ChannelLayout, axis: int, other: tuple[Port, int, bool, int]
) -> Iterator[Effect]:
    """The other operand has the same heads, or one for all of them."""
    port, missing, _, _ = other
    own = axis - missing
    mine = port.layout is not None and port.layout.axis == own
    if own < 0 or (port.size(own) == 1 and not mine):
        return
    if port.layout is not None and mine:
        if port.layout.extent == layout.extent:
            yield TieChannels(layout.at(axis), port.layout.at(axis))
        elif port.layout.extent != 1:
            yield BlockChannels(layout, NO_WEIGHT)
    else:
        detail = f"{port.name}, which it multiplies with, cannot be pruned"
        yield BlockChannels(layout, detail, because=port.name)
