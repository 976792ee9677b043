"""Some of the numbers, by index or by a mask, taken out or written over."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.layout import own
from graphprobe.ops.channels.rules import blocks, fixed, together
from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    Port,
    Propagate,
    PruneAlong,
    axis_of,
    rank_of,
)
from graphprobe.ops.facets import ChannelFacet, OpSpec, family, operators
from graphprobe.ops.shapes.movement import (
    gathered,
    gathered_deep,
    one_hot_sizes,
)
from graphprobe.ops.shapes.rules import like
from graphprobe.ops.shapes.spec import Declared, ShapeRule
from graphprobe.ops.spatial.rules import same
from graphprobe.ops.work.rules import MOVES


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
        or computed or view.op.get_ints("none_axes")
    ):  # fmt: skip
        yield from fixed(view, "it writes over a part of the channels", "unsupported_op")
        return
    if value is not None:
        aligned = _beside(value, len(x.shape), view.op.get_ints("decrease_axes"), x.layout.axis)
        if aligned is None:
            yield from fixed(view, "what it writes has more axes than where it writes")
            return
        yield from together(x.layout, aligned, x.layout.axis)
    yield Propagate("Out", x.layout)


def _beside(value: Port, rank: int, gone: tuple[int, ...], axis: int) -> Port | None:
    """What is written, as if it had the axes of what is written over; those in `gone` it lacks."""
    kept = [a for a in range(rank) if a not in {g % rank for g in gone}]
    own = kept[len(kept) - len(value.shape or ()) :]
    if len(own) != len(value.shape or ()):
        return None
    sizes = [1] * rank
    for at, size in zip(own, value.shape or (), strict=True):
        sizes[at] = size
    layout = value.layout.at(own[value.layout.axis]) if value.layout else None
    offset = axis - own.index(axis) if axis in own else rank
    return Port(value.name, tuple(sizes), layout, value.param, value.offset + offset)


_PIR = """
gather : X Index Axis@axis > Out
gather_nd : X Index > Out
scatter : X Ids Updates > Out
scatter_nd_add : X Index Updates > Out
index_select : X Index > Out ; axis=dim
index_sample : X Index > Out
take_along_axis : Input Index > Result ; axis=Axis
put_along_axis : Input Index Value > Result ; axis=Axis reduce=Reduce
masked_select : X Mask > Y
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
    "pick",
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
        computes="put",
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
    pir=_PIR,
)
