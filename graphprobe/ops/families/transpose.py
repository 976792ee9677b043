"""Axes in another order, and sizes repeated."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.rules import blocks, fixed, target_follows
from graphprobe.ops.channels.spec import (
    AttrUpdate,
    BlockChannels,
    CountsAlike,
    Effect,
    OpContext,
    PolicyBoundary,
    Propagate,
    axis_of,
    rank_of,
)
from graphprobe.ops.facets import ChannelFacet, family, operators
from graphprobe.ops.shapes.movement import (
    expanded_as,
    expanded_sizes,
    repeated_sizes,
    transposed_sizes,
)
from graphprobe.ops.shapes.rules import interleaved_sizes
from graphprobe.ops.spatial.rules import declared, same, transposed
from graphprobe.ops.work.rules import MOVES


def _transpose(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    order = view.op.get_ints("axis") or view.op.get_ints("perm")
    rank = len(order)
    order = tuple(a + rank if a < 0 else a for a in order)
    if x.layout.axis not in order:
        yield BlockChannels(x.layout, "its order of axes leaves out that of the channels")
    else:
        yield Propagate("Out", x.layout.at(order.index(x.layout.axis)))


def _tile(view: OpContext) -> Iterator[Effect]:
    """expand, tile: a number of repeats for each axis, counted from the last."""
    x = view.port("X")
    if x is None or x.layout is None:
        return
    rank = rank_of(x.shape)
    times = view.op.get_ints("expand_times") or view.op.get_ints("repeat_times")
    if rank is None or not times or any(view.ports(slot) for slot in _RUNTIME):
        yield BlockChannels(x.layout, "how often it repeats is computed while the network runs")
        return
    times = (1,) * (rank - len(times)) + times
    at = x.layout.axis + len(times) - rank
    if times[at] != 1:
        yield BlockChannels(x.layout, "it repeats along the channels")
    else:
        yield Propagate("Out", x.layout.at(at))


def _expand(view: OpContext) -> Iterator[Effect]:
    """expand_v2: the sizes wanted, -1 keeps one; sizes of 1 are repeated."""
    x = view.port("X")
    if x is None or x.layout is None:
        return
    rank = rank_of(x.shape)
    if rank is None or not x.layout.axis < rank <= len(view.target):
        yield BlockChannels(x.layout, "the size it expands to is computed while the network runs")
        return
    at = x.layout.axis + len(view.target) - rank
    if view.target[at].size not in (-1, x.layout.extent):
        yield BlockChannels(x.layout, "it repeats along the channels")
        return
    found = x.layout.at(at)
    yield from target_follows(view, found)
    yield Propagate("Out", found)


def _expand_as(view: OpContext) -> Iterator[Effect]:
    """To the size of another tensor: sizes of 1 are repeated, all others are the same in both."""
    x, y = view.port("X"), view.port("Y") or view.port("target_tensor")
    wanted = view.op.get_ints("target_shape") or (y.shape if y is not None else None)
    if x is None or x.shape is None or wanted is None or len(wanted) < len(x.shape):
        yield from fixed(view, "the size it expands to is computed while the network runs")
        return
    mine = x.layout.at(x.layout.axis + len(wanted) - len(x.shape)) if x.layout else None
    theirs = y.layout if y is not None else None
    if mine is not None and theirs is not None and mine.extent == 1 < theirs.extent:
        yield BlockChannels(mine, "its one channel is broadcast over the others", "residual")
        mine = None
    found = mine or theirs
    if found is None:
        return
    if theirs is not None and theirs.axis != found.axis:
        yield from fixed(view, "each of both has channels along another axis")
        return
    at = found.axis - len(wanted) + len(x.shape)
    if mine is None and at >= 0 and x.size(at) != 1:
        yield from fixed(view, "it repeats what has a number of channels of its own")
        return
    if wanted[found.axis] not in (-1, found.extent):
        yield from fixed(view, "it repeats along the channels")
        return
    if mine is not None and theirs is not None:
        yield CountsAlike(mine, theirs)
    if view.op.get_ints("target_shape") and wanted[found.axis] > 0:
        yield AttrUpdate("target_shape", wanted, found, found.axis)
    yield Propagate("Out", found)


def _interleave(view: OpContext) -> Iterator[Effect]:
    """Each entry of an axis so many times, one beside the other."""
    x = view.port("X")
    if x is None or x.layout is None:
        return
    times, axis = view.op.get_int("Repeats"), axis_of(view.op.get_int("dim"), rank_of(x.shape))
    if view.ports("RepeatsTensor") or times < 1 or axis is None:
        yield BlockChannels(x.layout, "how often it repeats is computed while the network runs")
    elif axis == x.layout.axis:
        yield PolicyBoundary("reorder", x.layout)
        yield Propagate("Out", x.layout.spread(times))
    else:
        yield Propagate("Out", x.layout)


_RUNTIME = (
    "ExpandTimes",
    "expand_times_tensor",
    "RepeatTimes",
    "repeat_times_tensor",
    "Shape",
    "expand_shapes_tensor",
)


_PIR = """
transpose = transpose2 : X > Out XShape ; perm=axis
tile : X RepeatTimes@repeat_times > Out
expand = expand_v2 : X Shape@shape > Out
expand_as = expand_as_v2 : X Y > Out
repeat_interleave : X > Out ; axis=dim repeats=Repeats
"""

FAMILY = family(
    "transpose",
    operators(
        "transpose transpose2:transpose",
        kind="movement",
        channels=ChannelFacet(_transpose, moves_param=True),
        spatial=transposed,
        shapes=transposed_sizes,
        work=MOVES,
        move="transpose",
    ),
    *(
        operators(
            name,
            kind="movement",
            channels=_tile,
            spatial=same,
            shapes=rule,
            work=MOVES,
            move="repeat",
        )
        for name, rule in (
            ("expand", repeated_sizes("expand_times", "ExpandTimes", "expand_times_tensor")),
            ("tile", repeated_sizes("repeat_times", "RepeatTimes", "repeat_times_tensor")),
        )
    ),
    operators(
        "expand_v2:expand",
        kind="movement",
        channels=_expand,
        spatial=same,
        shapes=expanded_sizes,
        work=MOVES,
        move="repeat",
    ),
    operators(
        "expand_as expand_as_v2:expand_as",
        kind="movement",
        channels=_expand_as,
        spatial=same,
        shapes=expanded_as,
        work=MOVES,
        move="repeat",
    ),
    operators(
        "repeat_interleave",
        kind="movement",
        channels=_interleave,
        spatial=declared,
        shapes=interleaved_sizes,
        work=MOVES,
        move="repeat",
    ),
    operators(
        "broadcast_tensors",
        kind="movement",
        channels=blocks("how often it repeats is not followed", "unsupported_op"),
        spatial=same,
        shapes=expanded_as,
        work=MOVES,
        move="repeat",
    ),
    pir=_PIR,
)
