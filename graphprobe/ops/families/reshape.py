"""Reshape, flatten, squeeze, unsqueeze: the same numbers under other sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from graphprobe.ops.channels.layout import (
    MAX_EXPLODED,
    ChannelLayout,
    ChannelRange,
    cut_runs,
    join_runs,
)
from graphprobe.ops.channels.regroup import Factored, factor, regroup
from graphprobe.ops.channels.rules import (
    RUNTIME_SHAPE,
    blocks,
    equal_stretches,
    neighbours_alike,
    target_follows,
)
from graphprobe.ops.channels.spec import (
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
from graphprobe.ops.facets import ChannelFacet, Move, OpSpec, family, operators
from graphprobe.ops.shapes.movement import (
    flattened_range,
    flattened_sizes,
    reshaped_sizes,
    squeezed_sizes,
    unsqueezed_sizes,
)
from graphprobe.ops.shapes.spec import Declared, ShapeRule, axis_at
from graphprobe.ops.spatial.info import SpatialRule
from graphprobe.ops.spatial.rules import flattened, reshaped, squeezed, unsqueezed
from graphprobe.ops.work.rules import MOVES


def _reshape(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    after = _after(view, x, x.layout)
    if after is None:
        yield BlockChannels(x.layout, RUNTIME_SHAPE)
        return
    split = factor(x.layout, x.shape or (), after)
    head = _head_axis(view, split) if split is not None else None
    if split is not None and head is not None:
        yield from _whole_heads(view, x.layout, split, head)
        return
    found = regroup(x.layout, x.shape or (), after)
    if found is None:
        open_ = any(entry.size < -1 for entry in view.target) or not view.target
        yield BlockChannels(
            x.layout, RUNTIME_SHAPE if open_ else "it mixes the channels with other axes"
        )
        return
    if found.rows > 1:
        yield PolicyBoundary("reorder", x.layout)
        yield from equal_stretches(ChannelLayout(x.layout.axis, x.layout.runs), found.rows)
    yield from target_follows(view, found.layout)
    yield Propagate("Out", found.layout)


def _after(view: OpContext, x: Port, layout: ChannelLayout) -> list[int] | None:
    """The shape after: 0 copies a size, one -1 is what is left; None where it is not known."""
    declared = view.outputs.get("Out", (None,))[0]
    if not view.target or x.shape is None or layout.axis >= len(x.shape):
        return None
    before = list(x.shape)
    before[layout.axis] = layout.extent
    after = [
        before[i] if entry.size == 0 and i < len(before) else entry.size
        for i, entry in enumerate(view.target)
    ]
    if after.count(-1) == 1:
        at = after.index(-1)
        known = prod(s for s in after if s != -1)
        if all(s > 0 for s in (*before, *after[:at], *after[at + 1 :])) and known:
            after[at] = prod(before) // known
        elif declared is not None and at < len(declared):
            after[at] = declared[at]
    return after


def _head_axis(view: OpContext, split: Factored) -> int | None:
    """The one axis of several that a product of two features runs over: the heads.

    One head is none: its channels pass one by one, where the product lets them.
    """
    axes = [i for i in range(len(split.factors)) if split.axis + i in view.batch_axes]
    return axes[0] if len(axes) == 1 and split.factors[axes[0]] > 1 else None


def _whole_heads(
    view: OpContext, layout: ChannelLayout, split: Factored, head: int
) -> Iterator[Effect]:
    """Channels written as [.., heads, .., size of a head]: a head stays or goes as a whole."""
    heads, behind = split.factors[head], prod(split.factors[head + 1 :])
    if layout.extent > MAX_EXPLODED:
        yield BlockChannels(layout, "its heads are too many to be kept apart")
        return
    yield PolicyBoundary("reorder", layout)
    yield from equal_stretches(layout, prod(split.factors[:head]))
    row = cut_runs(layout.runs, 0, heads * behind)
    yield from neighbours_alike(ChannelLayout(layout.axis, row), behind)
    single = [ChannelRange(r.space, r.start + i, 1) for r in row for i in range(r.length)]
    found = ChannelLayout(split.axis + head, join_runs(single[::behind]))
    yield from target_follows(view, found)
    yield Propagate("Out", found)


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
    start = axis_at(view.op.get_int("start_axis", 1), rank)
    stop = axis_at(view.op.get_int("stop_axis", -1), rank)
    if start is None or stop is None:
        yield BlockChannels(x.layout, f"it merges axes that its input of {rank} axes does not have")
        return
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


def _moving(
    names: str, rule: Rule, spatial: SpatialRule, shapes: ShapeRule, move: Move
) -> tuple[OpSpec, ...]:
    return operators(
        names,
        kind="movement",
        channels=ChannelFacet(rule, moves_param=True),
        spatial=spatial,
        shapes=shapes,
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
    _moving("reshape reshape2:reshape", _reshape, reshaped, reshaped_sizes, "reshape"),
    _moving("flatten flatten2:flatten", _flatten, flattened, flattened_sizes, "reshape"),
    _moving(
        "flatten_contiguous_range:flatten", _flatten_range, flattened, flattened_range, "reshape"
    ),
    _moving("squeeze squeeze2:squeeze", _squeeze, squeezed, squeezed_sizes, "squeeze"),
    _moving(
        "unsqueeze unsqueeze2:unsqueeze", _unsqueeze, unsqueezed, unsqueezed_sizes, "unsqueeze"
    ),
    operators(
        "im2sequence sequence_reshape sequence_pad sequence_unpad view_shape as_strided",
        kind="movement",
        channels=blocks("it mixes the channels with other axes", "unsupported_op"),
        spatial=flattened,
        shapes=Declared("its sizes follow from attributes of each op"),
        work=MOVES,
        move="reshape",
    ),
    pir=_PIR,
)
