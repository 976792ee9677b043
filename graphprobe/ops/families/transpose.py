"""Axes in another order, and sizes repeated."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.facets import ChannelFacet, family, operators
from graphprobe.ops.movement_rules import (
    expanded_as,
    expanded_sizes,
    repeated_sizes,
    transposed_sizes,
)
from graphprobe.ops.shared_rules import blocks, target_follows
from graphprobe.ops.spatial_rules import same, transposed
from graphprobe.ops.spec import (
    BlockChannels,
    Effect,
    OpContext,
    Propagate,
    rank_of,
)
from graphprobe.ops.work_rules import MOVES


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
        "expand_as expand_as_v2:expand_as repeat_interleave broadcast_tensors",
        kind="movement",
        channels=blocks("how often it repeats is not followed", "unsupported_op"),
        spatial=same,
        shapes=expanded_as,
        work=MOVES,
        move="repeat",
    ),
    pir=_PIR,
)
