"""Reshape, flatten, squeeze, unsqueeze: the same numbers under other sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from graphprobe.ops.channel_layout import ChannelLayout
from graphprobe.ops.facets import ChannelFacet, Move, OpSpec, family, operators
from graphprobe.ops.regroup import regroup
from graphprobe.ops.shared_rules import blocks, equal_stretches
from graphprobe.ops.spatial import SpatialRule, flattened, reshaped, squeezed, unsqueezed
from graphprobe.ops.spec import (
    AttrUpdate,
    BlockChannels,
    Effect,
    OpContext,
    PolicyBoundary,
    Port,
    Propagate,
    Rule,
    axis_of,
    rank_of,
)
from graphprobe.ops.work_rules import MOVES


def _reshape(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    wanted = view.op.get_ints("shape")
    if view.ports("Shape") or view.ports("ShapeTensor") or not wanted or x.shape is None:
        yield BlockChannels(x.layout, "its target shape is computed while the network runs")
        return
    after = _target(x, x.layout, wanted)
    yield from _regrouped(x, x.layout, after, wanted)


def _target(x: Port, layout: ChannelLayout, wanted: Sequence[int]) -> list[int]:
    """The shape after: 0 copies a size, one -1 is what is left."""
    before = list(x.shape or ())
    before[layout.axis] = layout.extent
    after = [before[i] if s == 0 and i < len(before) else s for i, s in enumerate(wanted)]
    if wanted.count(-1) == 1 and all(s > 0 for s in before):
        known = prod(s for s in after if s != -1)
        if known > 0 and prod(before) % known == 0:
            after[list(wanted).index(-1)] = prod(before) // known
    return after


def _regrouped(
    x: Port, layout: ChannelLayout, after: Sequence[int], wanted: Sequence[int]
) -> Iterator[Effect]:
    found = regroup(layout, x.shape or (), after)
    if found is None:
        yield BlockChannels(layout, "it mixes the channels with other axes")
        return
    if found.rows > 1:
        yield PolicyBoundary("reorder", layout)
        once = ChannelLayout(layout.axis, layout.runs)
        yield from equal_stretches(once, found.rows)
    axis = found.layout.axis
    if axis < len(wanted) and wanted[axis] > 0:
        yield AttrUpdate("shape", tuple(wanted), found.layout, axis)
    yield Propagate("Out", found.layout)


def _flatten(view: OpContext) -> Iterator[Effect]:
    """To two axes, at attribute ``axis``."""
    x = view.port("X")
    if x is None or x.layout is None or x.shape is None:
        return
    axis = view.op.get_int("axis", 1)
    yield from _merged(x, x.layout, [(0, axis), (axis, len(x.shape))])


def _flatten_range(view: OpContext) -> Iterator[Effect]:
    """Axes ``start_axis`` to ``stop_axis`` become one."""
    x = view.port("X")
    if x is None or x.layout is None or x.shape is None:
        return
    rank = len(x.shape)
    start = axis_of(view.op.get_int("start_axis", 1), rank) or 0
    stop = axis_of(view.op.get_int("stop_axis", -1), rank) or 0
    spans = [(i, i + 1) for i in range(start)] + [(start, stop + 1)]
    yield from _merged(x, x.layout, spans + [(i, i + 1) for i in range(stop + 1, rank)])


def _merged(x: Port, layout: ChannelLayout, spans: Sequence[tuple[int, int]]) -> Iterator[Effect]:
    """Each span of axes becomes one axis."""
    sizes = list(x.shape or ())
    sizes[layout.axis] = layout.extent
    for at, (low, high) in enumerate(spans):
        if not low <= layout.axis < high:
            continue
        before, behind = sizes[low : layout.axis], sizes[layout.axis + 1 : high]
        if any(s <= 0 for s in before + behind):
            yield BlockChannels(layout, "it merges the channels with axes of unknown size")
            return
        inner, outer = layout.inner * prod(behind), layout.outer * prod(before)
        yield Propagate("Out", ChannelLayout(at, layout.runs, inner, outer))


def _squeeze(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    rank = rank_of(x.shape)
    axes = {axis_of(a, rank) for a in view.op.get_ints("axes")}
    if not axes and x.shape is not None:
        axes = {i for i, s in enumerate(x.shape) if s == 1}
    if None in axes or x.layout.axis in axes or (not axes and x.shape is None):
        yield BlockChannels(x.layout, "it removes the axis of the channels")
        return
    gone = sum(1 for a in axes if a is not None and a < x.layout.axis)
    yield Propagate("Out", x.layout.at(x.layout.axis - gone))


def _unsqueeze(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    given = view.op.get_ints("axes")
    if view.ports("AxesTensor") or view.ports("AxesTensorList") or x.shape is None:
        yield BlockChannels(x.layout, "its axes are computed while the network runs")
        return
    axis = x.layout.axis
    # Axes are inserted one after the other, each seeing the ones before it.
    for count, a in enumerate(given):
        at = a if a >= 0 else a + len(x.shape) + count + 1
        axis += at <= axis
    yield Propagate("Out", x.layout.at(axis))


def _moving(names: str, rule: Rule, spatial: SpatialRule, move: Move) -> tuple[OpSpec, ...]:
    return operators(
        names,
        kind="movement",
        channels=ChannelFacet(rule, moves_param=True),
        spatial=spatial,
        work=MOVES,
        move=move,
    )


_PIR = """
reshape = reshape2 : X Shape@shape > Out XShape
flatten = flatten_contiguous_range : X > Out XShape
squeeze = squeeze2 : X Axes@axes > Out XShape ; axis=axes
unsqueeze = unsqueeze2 : X AxesTensor@axes > Out XShape ; axis=axes
"""

FAMILY = family(
    "reshape",
    _moving("reshape reshape2:reshape", _reshape, reshaped, "reshape"),
    _moving("flatten flatten2:flatten", _flatten, flattened, "reshape"),
    _moving("flatten_contiguous_range:flatten", _flatten_range, flattened, "reshape"),
    _moving("squeeze squeeze2:squeeze", _squeeze, squeezed, "squeeze"),
    _moving("unsqueeze unsqueeze2:unsqueeze", _unsqueeze, unsqueezed, "unsqueeze"),
    operators(
        "im2sequence sequence_reshape sequence_pad sequence_unpad view_shape as_strided",
        kind="movement",
        channels=blocks("it mixes the channels with other axes", "unsupported_op"),
        spatial=flattened,
        work=MOVES,
        move="reshape",
    ),
    pir=_PIR,
)
