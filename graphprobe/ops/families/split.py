"""Parts of a tensor: split, slice, unstack, gather. Their counts follow the channels that stay."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channel_layout import ChannelLayout, own, stretch
from graphprobe.ops.facets import ChannelFacet, OpSpec, family, operators
from graphprobe.ops.shape_rules import like
from graphprobe.ops.shape_spec import Declared, ShapeRule
from graphprobe.ops.shared_rules import blocks, fixed, together
from graphprobe.ops.spatial import kept, same, sliced, unstacked
from graphprobe.ops.spec import (
    AttrUpdate,
    BlockChannels,
    Effect,
    OpContext,
    PolicyBoundary,
    Port,
    Propagate,
    PruneAlong,
    axis_of,
    rank_of,
)
from graphprobe.ops.value_rules import (
    cropped,
    gathered,
    gathered_deep,
    one_hot_sizes,
    sliced_sizes,
    split_sizes,
    unstacked_sizes,
)
from graphprobe.ops.work_rules import MOVES

_RUNTIME = "where it cuts is computed while the network runs"


def _split(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    axis = axis_of(view.op.get_int("axis"), rank_of(x.shape))
    outputs = len(view.outputs.get("Out", ()))
    dynamic = view.ports("AxisTensor") or view.ports("SectionsTensorList")
    if axis is None or dynamic:
        yield BlockChannels(x.layout, _RUNTIME)
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
        yield BlockChannels(x.layout, _RUNTIME)
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


def _gather(view: OpContext) -> Iterator[Effect]:
    """Entries of another axis than the channels', by their numbers."""
    x = view.port("X")
    for port in view.carrying():
        if port is not x and port.layout is not None:
            yield BlockChannels(port.layout, "it is used as numbers of entries")
    if x is None:
        return
    if x.layout is None:
        yield from _table(view, x)
        return
    attr = "dim" if view.op.type == "index_select" else "axis"
    axis = axis_of(view.op.get_int(attr, 0), rank_of(x.shape))
    if axis is None or axis == x.layout.axis or view.port("Axis") is not None:
        yield BlockChannels(x.layout, "it takes channels by their numbers")
    else:
        yield Propagate("Out", x.layout)


def _table(view: OpContext, x: Port) -> Iterator[Effect]:
    """Rows of a parameter by their numbers: its columns are channels (a bias for each head)."""
    if x.param is None or x.shape is None or len(x.shape) != 2 or min(x.shape) < 1:
        return
    if view.op.get_int("dim" if view.op.type == "index_select" else "axis", 0) == 0:
        index = view.port("Index")
        rank = len(index.shape) if index is not None and index.shape is not None else 1
        columns = own((x.param, 1), x.shape[1], 1)
        yield PruneAlong(x.param, columns)
        yield Propagate("Out", columns.at(rank))


def _set_value(view: OpContext) -> Iterator[Effect]:
    """A part of X is written over: not one of its channels' axis."""
    x, value = view.port("Input"), view.port("ValueTensor")
    axes = tuple(axis_of(a, rank_of(x.shape) if x else None) for a in view.op.get_ints("axes"))
    computed = any(view.ports(f"{name}TensorList") for name in ("Starts", "Ends", "Steps"))
    if (
        x is None or x.layout is None or x.shape is None or x.layout.axis in axes or None in axes
        or computed or view.op.get_ints("decrease_axes") or view.op.get_ints("none_axes")
    ):  # fmt: skip
        yield from fixed(view, "it writes over a part of the channels", "unsupported_op")
        return
    if value is not None:
        missing = len(x.shape) - len(value.shape or ())
        sizes = (1,) * missing + (value.shape or ())
        layout = value.layout.at(value.layout.axis + missing) if value.layout else None
        aligned = Port(value.name, sizes, layout, value.param, value.offset + missing)
        yield from together(x.layout, aligned, x.layout.axis)
    yield Propagate("Out", x.layout)


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
strided_slice : Input StartsTensor@starts EndsTensor@ends StridesTensor@strides > Out
crop = crop_tensor : X Shape@shape Offsets@offsets > Out
gather : X Index Axis@axis > Out
gather_nd : X Index > Out
scatter : X Ids Updates > Out
scatter_nd_add : X Index Updates > Out
index_select : X Index > Out ; axis=dim
index_sample : X Index > Out
take_along_axis : Input Index > Result ; axis=Axis
put_along_axis : Input Index Value > Result ; axis=Axis reduce=Reduce
masked_select : X Mask > Y
roll : X ShiftsTensor@shifts > Out
reverse : X Axis@axis > Out
one_hot = one_hot_v2 : X depth_tensor@depth > Out
diagonal : Input > Out
"""


def _picking(names: str, rule: ShapeRule | Declared) -> tuple[OpSpec, ...]:
    return operators(
        names,
        kind="pick",
        channels=blocks("it takes numbers by their places", "unsupported_op"),
        spatial=same,
        shapes=rule,
        work=MOVES,
    )


def _tabling(names: str, rule: ShapeRule | Declared) -> tuple[OpSpec, ...]:
    return operators(
        names,
        kind="pick",
        channels=blocks("it makes a table of their values", "unsupported_op"),
        spatial=same,
        shapes=rule,
        work=MOVES,
    )


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
        channels=blocks("where it cuts is not followed", "unsupported_op"),
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
        "gather index_select",
        kind="pick",
        channels=ChannelFacet(_gather, makes=True),
        spatial=same,
        shapes=gathered,
        work=MOVES,
    ),
    _picking("gather_nd", gathered_deep),
    _picking("index_sample take_along_axis", like("Index")),
    _picking(
        "masked_select diagonal sequence_slice sequence_pool sequence_concat sequence_expand "
        "sequence_expand_as sequence_softmax sequence_enumerate sequence_erase sequence_reverse "
        "sequence_scatter",
        Declared("how many it takes is known only while it runs"),
    ),
    operators(
        "set_value set_value_with_tensor",
        kind="pick",
        channels=_set_value,
        spatial=same,
        shapes=like("X", "Input"),
        work=MOVES,
    ),
    operators(
        "scatter scatter_nd_add put_along_axis index_put index_add masked_fill "
        "scatter_nd fill_diagonal_tensor multiplex",
        kind="pick",
        channels=blocks("it puts numbers at computed places", "unsupported_op"),
        spatial=same,
        shapes=like("X", "Input"),
        work=MOVES,
    ),
    _tabling("one_hot one_hot_v2:one_hot", one_hot_sizes),
    _tabling("sequence_mask diag_v2 diag_embed", Declared("its sizes follow from values")),
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
