"""Channels moved between each other or into space, in one op."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.layout import (
    MAX_EXPLODED,
    ChannelLayout,
    ChannelRange,
    cut_runs,
    join_runs,
    written_out,
)
from graphprobe.ops.channels.rules import blocks, equal_stretches, neighbours_alike
from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    PolicyBoundary,
    Propagate,
    Rule,
)
from graphprobe.ops.facets import OpSpec, family, operators
from graphprobe.ops.shapes.rules import like
from graphprobe.ops.shapes.spec import Declared, ShapeRule
from graphprobe.ops.shapes.windows import rearranged, windows_in_a_row, windows_put_back
from graphprobe.ops.spatial.info import SpatialRule
from graphprobe.ops.spatial.rules import blocks_of, declared, same, unfolded
from graphprobe.ops.work.rules import ELEMENTS, MOVES


def _shuffle(view: OpContext) -> Iterator[Effect]:
    """[g, C/g] turned to [C/g, g]: the same offset of every group goes together."""
    layout = view.layout("X")
    groups = max(1, view.op.get_int("groups", view.op.get_int("group", 1)))
    if layout is None:
        return
    if layout.inner != 1 or layout.outer != 1 or layout.size % groups:
        yield BlockChannels(layout, f"its channels do not fall into {groups} equal groups")
        return
    yield PolicyBoundary("reorder", layout)
    yield from equal_stretches(layout, groups)
    row = cut_runs(layout.runs, 0, layout.size // groups)
    yield Propagate("Out", ChannelLayout(layout.axis, row, inner=groups))


def _to_space(view: OpContext) -> Iterator[Effect]:
    """pixel_shuffle: r * r neighbouring channels become one."""
    layout = view.layout("X")
    area = view.op.get_int("upscale_factor", 1) ** 2
    if layout is None:
        return
    flat = written_out(layout)
    if flat is None or flat.size > MAX_EXPLODED or area < 1 or flat.size % area:
        yield BlockChannels(layout, "its channels do not fall into equal blocks")
        return
    yield PolicyBoundary("reorder", layout)
    yield from neighbours_alike(flat, area)
    single = [ChannelRange(r.space, r.start + i, 1) for r in flat.runs for i in range(r.length)]
    yield Propagate("Out", ChannelLayout(layout.axis, join_runs(single[::area])))


def _from_space(view: OpContext) -> Iterator[Effect]:
    """pixel_unshuffle: each channel becomes r * r neighbours."""
    layout = view.layout("X")
    if layout is not None:
        yield PolicyBoundary("reorder", layout)
        yield Propagate("Out", layout.spread(view.op.get_int("downscale_factor", 1) ** 2))


def _blocks(view: OpContext) -> Iterator[Effect]:
    """space_to_depth: the channels stand b * b times one after the other."""
    layout = view.layout("X")
    if layout is not None:
        times = layout.outer * view.op.get_int("blocksize", 1) ** 2
        yield PolicyBoundary("reorder", layout)
        yield Propagate("Out", ChannelLayout(layout.axis, layout.runs, layout.inner, times))


def _shift(view: OpContext) -> Iterator[Effect]:
    layout = view.layout("X")
    if layout is not None:
        yield BlockChannels(layout, "it treats a fixed share of the channels in another way")


def _moving(names: str, rule: Rule, spatial: SpatialRule, shapes: ShapeRule) -> tuple[OpSpec, ...]:
    return operators(
        names,
        kind="movement",
        channels=rule,
        spatial=spatial,
        shapes=shapes,
        work=MOVES,
        move="shuffle",
    )


_PIR = """
channel_shuffle : X > Out
unfold : X > Y
fold : X > Y
"""

FAMILY = family(
    "shuffle",
    _moving(
        "shuffle_channel channel_shuffle:shuffle_channel",
        _shuffle,
        same,
        like("X"),
    ),
    operators(
        "pixel_shuffle",
        kind="upsample",
        channels=_to_space,
        spatial=blocks_of("upscale_factor", up=True),
        shapes=rearranged("upscale_factor", up=True),
        work=MOVES,
        computes="pixels",
    ),
    _moving(
        "pixel_unshuffle",
        _from_space,
        blocks_of("downscale_factor", up=False),
        rearranged("downscale_factor", up=False),
    ),
    _moving(
        "space_to_depth",
        _blocks,
        blocks_of("blocksize", up=False),
        rearranged("blocksize", up=False),
    ),
    _moving("temporal_shift", _shift, same, like("X")),
    operators(
        "maxout",
        kind="activation",
        channels=_shift,
        spatial=same,
        shapes=Declared("it makes fewer channels by an attribute"),
        work=ELEMENTS,
    ),
    operators(
        "unfold",
        kind="movement",
        channels=blocks("it makes channels of places", "unsupported_op"),
        spatial=unfolded,
        shapes=windows_in_a_row,
        work=MOVES,
        move="shuffle",
    ),
    operators(
        "fold",
        kind="movement",
        channels=blocks("it makes places of channels", "unsupported_op"),
        spatial=declared,
        shapes=windows_put_back,
        work=MOVES,
        move="shuffle",
    ),
    pir=_PIR,
)
