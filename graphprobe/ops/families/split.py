"""Parts of a tensor: split, slice, unstack, flip. Their counts follow the channels that stay."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.layout import ChannelLayout, stretch
from graphprobe.ops.channels.rules import blocks
from graphprobe.ops.channels.spec import (
    AttrUpdate,
    BlockChannels,
    Effect,
    OpContext,
    PolicyBoundary,
    Propagate,
    axis_of,
    rank_of,
)
from graphprobe.ops.facets import family, operators
from graphprobe.ops.shapes.movement import (
    cropped,
    sliced_sizes,
    split_sizes,
    unstacked_sizes,
)
from graphprobe.ops.shapes.rules import like
from graphprobe.ops.spatial.rules import kept, same, sliced, unstacked
from graphprobe.ops.work.rules import MOVES

_COMPUTED = "is computed while the network runs"


def _split(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    axis = axis_of(view.op.get_int("axis"), rank_of(x.shape))
    outputs = len(view.outputs.get("Out", ()))
    dynamic = view.ports("AxisTensor") or view.ports("SectionsTensorList")
    if axis is None or dynamic:
        yield BlockChannels(x.layout, f"where it splits {_COMPUTED}")
    elif axis != x.layout.axis:
        for i in range(outputs):
            yield Propagate("Out", x.layout, i)
    else:
        yield from _split_channels(view, x.layout, outputs)


def _split_channels(view: OpContext, layout: ChannelLayout, outputs: int) -> Iterator[Effect]:
    sections = _sections(view, layout.extent, outputs)
    parts = _parts(layout, sections)
    if sections is None or parts is None:
        yield BlockChannels(layout, "its sections do not fit the channels")
        return
    yield PolicyBoundary("reorder", layout)
    for i, part in enumerate(parts):
        yield AttrUpdate("sections", sections, part, i)
        yield Propagate("Out", part, i)


def _sections(view: OpContext, extent: int, outputs: int) -> tuple[int, ...] | None:
    given = view.op.get_ints("sections")
    if given and not view.op.get_int("num"):
        rest = extent - sum(s for s in given if s > 0)
        given = tuple(rest if s == -1 else s for s in given)
    elif outputs and extent % outputs == 0:
        given = (extent // outputs,) * outputs
    fits = len(given) == outputs and sum(given) == extent and all(s > 0 for s in given)
    return given if fits else None


def _parts(layout: ChannelLayout, sections: tuple[int, ...] | None) -> list[ChannelLayout] | None:
    parts: list[ChannelLayout] = []
    at = 0
    for size in sections or ():
        part = stretch(layout, at, at + size)
        if part is None:
            return None
        parts.append(part)
        at += size
    return parts


def _slice(view: OpContext) -> Iterator[Effect]:
    x = view.port("Input")
    if x is None or x.layout is None:
        return
    axes = tuple(axis_of(a, rank_of(x.shape)) for a in view.op.get_ints("axes"))
    tensors = (
        "StartsTensor",
        "EndsTensor",
        "StridesTensor",
        "StartsTensorList",
        "EndsTensorList",
        "StridesTensorList",
    )
    if None in axes or (x.layout.axis in axes and any(view.ports(slot) for slot in tensors)):
        yield BlockChannels(x.layout, f"where it slices {_COMPUTED}")
        return
    gone = view.op.get_ints("decrease_axis")
    if x.layout.axis in axes:
        yield from _slice_channels(view, x.layout, axes.index(x.layout.axis), gone)
    else:
        yield Propagate("Out", x.layout.at(x.layout.axis - sum(g < x.layout.axis for g in gone)))


def _slice_channels(
    view: OpContext, layout: ChannelLayout, at: int, gone: tuple[int, ...]
) -> Iterator[Effect]:
    starts, ends = view.op.get_ints("starts"), view.op.get_ints("ends")
    strides = view.op.get_ints("strides") or (1,) * len(starts)
    if layout.axis in gone or not all(at < len(v) for v in (starts, ends, strides)):
        yield BlockChannels(layout, "it takes one channel out by its number")
        return
    start, stop, step = slice(starts[at], ends[at], strides[at] or 1).indices(layout.extent)
    before, part = stretch(layout, 0, start), stretch(layout, start, max(start, stop))
    through = stretch(layout, 0, max(start, stop))
    if step != 1 or before is None or part is None or through is None or not part.runs:
        yield BlockChannels(layout, "it takes channels by their numbers, and not in one stretch")
        return
    yield PolicyBoundary("reorder", layout)
    yield AttrUpdate("starts", _with(starts, at, start), before, at)
    yield AttrUpdate("ends", _with(ends, at, stop), through, at)
    yield Propagate("Out", part.at(layout.axis - sum(g < layout.axis for g in gone)))


def _with(values: tuple[int, ...], at: int, value: int) -> tuple[int, ...]:
    return (*values[:at], value, *values[at + 1 :])


def _unstack(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    axis = axis_of(view.op.get_int("axis"), rank_of(x.shape))
    slot = "Y" if "Y" in view.outputs else "Out"
    if axis is None or axis == x.layout.axis:
        yield BlockChannels(x.layout, "it takes the channels apart one by one")
        return
    for i in range(len(view.outputs.get(slot, ()))):
        yield Propagate(slot, x.layout.at(x.layout.axis - (axis < x.layout.axis)), i)


def _flip(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    axes = tuple(axis_of(a, rank_of(x.shape)) for a in view.op.get_ints("axis"))
    if not axes or None in axes or x.layout.axis in axes:
        yield BlockChannels(x.layout, "it moves the channels about")
    else:
        yield Propagate("Out", x.layout)


_PIR = """
split : X SectionsTensorList@sections AxisTensor@axis > Out
split_with_num = split : X AxisTensor@axis > Out
unstack : X > Y
slice : Input StartsTensor@starts EndsTensor@ends > Out
set_value : Input StartsTensorList@starts EndsTensorList@ends StepsTensorList@steps > Out
set_value_with_tensor : Input ValueTensor StartsTensorList@starts EndsTensorList@ends \
StepsTensorList@steps > Out
strided_slice : Input StartsTensor@starts EndsTensor@ends StridesTensor@strides > Out
crop = crop_tensor : X Shape@shape Offsets@offsets > Out
roll : X ShiftsTensor@shifts > Out
reverse : X Axis@axis > Out
"""

FAMILY = family(
    "split",
    operators(
        "split",
        kind="movement",
        channels=_split,
        spatial=same,
        shapes=split_sizes,
        work=MOVES,
        move="split",
    ),
    operators(
        "slice strided_slice:slice",
        kind="movement",
        channels=_slice,
        spatial=sliced,
        shapes=sliced_sizes,
        work=MOVES,
        move="slice",
    ),
    operators(
        "crop crop_tensor:crop",
        kind="movement",
        channels=blocks("where it crops is not followed", "unsupported_op"),
        spatial=kept,
        shapes=cropped,
        work=MOVES,
        move="slice",
    ),
    operators(
        "unstack unbind",
        kind="movement",
        channels=_unstack,
        spatial=unstacked,
        shapes=unstacked_sizes,
        work=MOVES,
        move="unstack",
    ),
    operators(
        "flip reverse roll",
        kind="movement",
        channels=_flip,
        spatial=same,
        shapes=like("X"),
        work=MOVES,
        move="flip",
    ),
    pir=_PIR,
)
