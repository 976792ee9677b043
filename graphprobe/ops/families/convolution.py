"""Convolutions: plain, grouped, depthwise (under either spelling), transposed, deformable."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.layout import ChannelLayout, own, stretch
from graphprobe.ops.channels.rules import equal_stretches, fixed, together
from graphprobe.ops.channels.spec import (
    AttrUpdate,
    BlockChannels,
    Effect,
    OpContext,
    PolicyBoundary,
    Port,
    Propagate,
    PruneAlong,
    channel_axis,
    depthwise_filter,
    rank_of,
)
from graphprobe.ops.facets import ChannelFacet, family, operators
from graphprobe.ops.shapes.windows import convolved, convolved_back
from graphprobe.ops.spatial.rules import enlarged, strided
from graphprobe.ops.work.rules import filter_work, transposed_filter_work


def _is_filter(shape: tuple[int, ...]) -> bool:
    return len(shape) > 1 and min(shape) > 0


def _no_filter(filter_: Port | None) -> str:
    computed = filter_ is not None and filter_.param is None
    return "its filter is computed" if computed else "its filter is not a parameter of known size"


def _conv(view: OpContext) -> Iterator[Effect]:
    x, w = view.port("Input"), view.port("Filter")
    if w is None or w.param is None or w.shape is None or not _is_filter(w.shape):
        yield from fixed(view, _no_filter(w))
        return
    groups = max(1, view.op.get_int("groups", 1))
    axis = channel_axis(view, "data_format", rank_of(x.shape) if x else None)
    given = x.layout if x is not None else None
    if given is not None and (given.axis != axis or given.extent != groups * w.shape[1]):
        yield BlockChannels(given, "the filter does not fit the channels that reach it")
        given = None
    if depthwise_filter(groups, w.shape):
        out, effects = _depthwise(view, w, given, groups, axis)
    elif groups > 1:
        out, effects = _grouped(w, given, groups, axis)
    else:
        out = own((w.param, 0), w.shape[0], axis)
        effects = [PruneAlong(w.param, out.at(0), "out")]
        if given is not None:
            effects.append(PruneAlong(w.param, given.at(1), "in"))
    yield from effects
    yield from _rest(view, out)


def _rest(view: OpContext, out: ChannelLayout) -> Iterator[Effect]:
    """Bias and residual input of the fused forms, then the output."""
    bias, residual = view.port("Bias"), view.port("ResidualData")
    if bias is not None and bias.param is not None:
        yield PruneAlong(bias.param, out.at(0))
    if residual is not None:
        yield from together(out, residual, out.axis)
    yield Propagate("Output", out)


def _depthwise(
    view: OpContext, w: Port, given: ChannelLayout | None, groups: int, axis: int
) -> tuple[ChannelLayout, list[Effect]]:
    assert w.param is not None and w.shape is not None  # noqa: S101 - _conv looked
    if given is None:
        out = own((w.param, 0), w.shape[0], axis)
        detail = "it filters each channel of an input that cannot be pruned"
        source = view.op.input("Input")
        return out, [
            PruneAlong(w.param, out.at(0), "out"),
            BlockChannels(out, detail, because=source),
        ]
    out = given.spread(w.shape[0] // groups)
    return out, [
        PruneAlong(w.param, out.at(0)),
        AttrUpdate("groups", view.op.get_int("groups", 1), given),
    ]


def _grouped(
    w: Port, given: ChannelLayout | None, groups: int, axis: int
) -> tuple[ChannelLayout, list[Effect]]:
    """Each group keeps as many channels as every other: equal offsets go together."""
    assert w.param is not None and w.shape is not None  # noqa: S101 - _conv looked
    out = own((w.param, 0), w.shape[0], axis)
    effects: list[Effect] = [PruneAlong(w.param, out.at(0), "out"), PolicyBoundary("grouped", out)]
    effects += equal_stretches(out, groups)
    if given is not None:
        first = stretch(given, 0, given.extent // groups)
        effects.append(PolicyBoundary("grouped", given))
        effects += equal_stretches(given, groups)
        if first is not None:
            effects.append(PruneAlong(w.param, first.at(1), "in"))
    return out, effects


def _transposed(view: OpContext) -> Iterator[Effect]:
    """Filter [in, out/groups, ...]: the output channels are on axis 1."""
    x, w = view.port("Input"), view.port("Filter")
    if w is None or w.param is None or w.shape is None or not _is_filter(w.shape):
        yield from fixed(view, _no_filter(w))
        return
    groups = max(1, view.op.get_int("groups", 1))
    axis = channel_axis(view, "data_format", rank_of(x.shape) if x else None)
    given = x.layout if x is not None else None
    if given is not None and (given.axis != axis or given.extent != w.shape[0]):
        yield BlockChannels(given, "the filter does not fit the channels that reach it")
        given = None
    out = ChannelLayout(axis, own((w.param, 1), w.shape[1], axis).runs, outer=groups)
    if depthwise_filter(groups, w.shape, 1):
        yield from _transposed_depthwise(view, w.param, w.shape, given, axis)
        return
    yield PruneAlong(w.param, ChannelLayout(1, out.runs), "out")
    if given is not None:
        yield PruneAlong(w.param, given.at(0), "in")
        if groups > 1:
            yield PolicyBoundary("grouped", given)
            yield from equal_stretches(given, groups)
    if groups > 1:
        yield PolicyBoundary("grouped", out)
    yield from _rest(view, out)


def _transposed_depthwise(
    view: OpContext, param: str, shape: tuple[int, ...], given: ChannelLayout | None, axis: int
) -> Iterator[Effect]:
    """Filter [in, filters a channel, ...]: the channels are those of the input."""
    if given is None:
        made = own((param, 0), shape[0], axis)
        yield PruneAlong(param, made.at(0), "out")
        detail = "it filters each channel of an input that cannot be pruned"
        yield BlockChannels(made, detail, because=view.op.input("Input"))
        yield from _rest(view, made.spread(shape[1]))
        return
    yield PruneAlong(param, given.at(0))
    yield AttrUpdate("groups", shape[0], given)
    yield from _rest(view, given.spread(shape[1]))


def _deformable(view: OpContext) -> Iterator[Effect]:
    for slot in ("Offset", "Mask"):
        port = view.port(slot)
        if port is not None and port.layout is not None:
            detail = "they are sampling offsets and masks, whose number the kernel's size fixes"
            yield BlockChannels(port.layout, detail, "unsupported_op")
    if view.op.get_int("deformable_groups", 1) > 1:
        given = view.layout("Input")
        if given is not None:
            yield PolicyBoundary("grouped", given)
            yield from equal_stretches(given, view.op.get_int("deformable_groups", 1))
    yield from _conv(view)


_CONV = ChannelFacet(_conv, filter="Filter", makes=True)
_TRANSPOSED = ChannelFacet(_transposed, filter="Filter", out_axis=1, makes=True)

_PIR = """
conv2d : Input Filter > Output
conv3d : Input Filter > Output
depthwise_conv2d : Input Filter > Output
conv2d_transpose : Input Filter OutputSize@output_size > Output
depthwise_conv2d_transpose : Input Filter OutputSize@output_size > Output
conv2d_transpose_bias : Input Filter Bias OutputSize@output_size > Output
conv3d_transpose : Input Filter > Output
deformable_conv : Input Offset Filter Mask > Output
fused_conv2d_add_act : Input Filter Bias ResidualData > Output Outputs
"""

FAMILY = family(
    "convolution",
    operators(
        "conv2d:conv depthwise_conv2d:dwconv",
        kind="convolution",
        channels=_CONV,
        spatial=strided,
        shapes=convolved,
        work=filter_work,
        onednn=True,
    ),
    operators(
        "conv1d:conv conv3d:conv3d conv2d_fusion:conv fused_conv2d:conv fused_conv2d_add_act:conv "
        "fused_conv3d:conv3d fused_conv2d_add_act_add:conv",
        kind="convolution",
        channels=_CONV,
        spatial=strided,
        shapes=convolved,
        work=filter_work,
    ),
    operators(
        "conv2d_transpose:deconv depthwise_conv2d_transpose:dwdeconv conv3d_transpose:deconv3d "
        "conv2d_transpose_bias:deconv",
        kind="convolution",
        channels=_TRANSPOSED,
        spatial=enlarged,
        shapes=convolved_back,
        work=transposed_filter_work,
    ),
    operators(
        "deformable_conv:dconv deformable_conv_v1:dconv",
        kind="convolution",
        channels=ChannelFacet(_deformable, filter="Filter", makes=True),
        spatial=strided,
        shapes=convolved,
        work=filter_work,
    ),
    pir=_PIR,
)
