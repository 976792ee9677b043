"""Normalisation and affine ops: one number for each channel, or statistics over channels."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.rules import blocks, neighbours_alike, together
from graphprobe.ops.channels.spec import (
    AttrUpdate,
    BlockChannels,
    Effect,
    OpContext,
    PolicyBoundary,
    Propagate,
    PruneAlong,
    Rule,
    axis_of,
    channel_axis,
    rank_of,
)
from graphprobe.ops.facets import family, operators
from graphprobe.ops.shapes.rules import like
from graphprobe.ops.spatial.rules import same
from graphprobe.ops.work.rules import ELEMENTS


def _per_channel(layout_attr: str, out: str, joined: str = "") -> Rule:
    """One scale, bias, mean and variance for each channel."""

    def rule(view: OpContext) -> Iterator[Effect]:
        x = view.port("X")
        if x is None or x.layout is None:
            return
        if x.layout.axis != channel_axis(view, layout_attr, rank_of(x.shape)):
            yield BlockChannels(x.layout, "it normalises another axis than that of the channels")
            return
        for slot in ("Scale", "Bias", "Mean", "Variance"):
            port = view.port(slot)
            if port is not None and port.param is not None:
                yield PruneAlong(port.param, x.layout.at(0))
        other = view.port(joined) if joined else None
        if other is not None:
            yield from together(x.layout, other, x.layout.axis)
        yield Propagate(out, x.layout)

    return rule


def _layer_norm(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    if x.layout.axis >= view.op.get_int("begin_norm_axis", 1):
        detail = "it normalises over the channels, so the others would change if some were pruned"
        yield BlockChannels(x.layout, detail)
    else:
        yield Propagate("Y", x.layout)


def _group_norm(view: OpContext) -> Iterator[Effect]:
    """A whole group of channels may go; a part of one would change the rest of it."""
    x = view.port("X")
    if x is None or x.layout is None:
        return
    groups = max(1, view.op.get_int("groups", 1))
    per_group, left = divmod(x.layout.extent, groups)
    fits = left == 0 and x.layout.axis == channel_axis(view, "data_layout", rank_of(x.shape))
    if groups == 1 or not fits:
        yield BlockChannels(x.layout, "it normalises over all channels, so the others would change")
        return
    yield PolicyBoundary("grouped", x.layout)
    yield from neighbours_alike(x.layout, per_group)
    for slot in ("Scale", "Bias"):
        port = view.port(slot)
        if port is not None and port.param is not None:
            yield PruneAlong(port.param, x.layout.at(0))
    yield AttrUpdate("groups", groups, x.layout, share=per_group)
    yield Propagate("Y", x.layout)


def _l2_norm(view: OpContext) -> Iterator[Effect]:
    """A map divided by its length along one axis."""
    x = view.port("X")
    if x is None or x.layout is None:
        return
    axis = axis_of(view.op.get_int("axis", 1), rank_of(x.shape))
    if axis is None or x.layout.axis == axis:
        detail = "it normalises over the channels, so the others would change if some were pruned"
        yield BlockChannels(x.layout, detail)
    else:
        yield Propagate("Out", x.layout)


def _lrn(view: OpContext) -> Iterator[Effect]:
    layout = view.layout("X")
    if layout is not None:
        yield BlockChannels(layout, "it normalises over neighbouring channels, which would change")


def _affine(view: OpContext) -> Iterator[Effect]:
    yield from _per_channel("data_layout", "Out")(view)


_NORM = "X Mean Variance Scale Bias > Y MeanOut VarianceOut SavedMean SavedVariance ReserveSpace"
_PIR = f"""
batch_norm : {_NORM} ; data_format=data_layout
sync_batch_norm : {_NORM} ; data_format=data_layout
layer_norm : X Scale Bias > Y Mean Variance
group_norm : X Scale Bias > Y Mean Variance ; data_format=data_layout
instance_norm : X Scale Bias > Y SavedMean SavedVariance
norm : X > Out Norm
affine_channel : X Scale Bias > Out
"""

FAMILY = family(
    "norm",
    operators(
        "batch_norm:bn sync_batch_norm:bn inplace_abn:bn fused_batch_norm_act:bn",
        kind="norm",
        channels=_per_channel("data_layout", "Y"),
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    ),
    operators(
        "instance_norm",
        kind="norm",
        channels=_per_channel("data_layout", "Y"),
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    ),
    operators(
        "fused_bn_add_activation:bn",
        kind="norm",
        channels=_per_channel("data_layout", "Y", "Z"),
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    ),
    operators(
        "affine_channel",
        kind="norm",
        channels=_affine,
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    ),
    operators(
        "layer_norm:ln",
        kind="norm",
        channels=_layer_norm,
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    ),
    operators(
        "group_norm:gn",
        kind="norm",
        channels=_group_norm,
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    ),
    operators(
        "data_norm rms_norm skip_layernorm:ln fused_bias_dropout_residual_layer_norm:ln "
        "fused_layernorm:ln fused_rms_norm preln_skip_layernorm:ln spectral_norm",
        kind="norm",
        channels=blocks("its statistics are not followed", "unsupported_op"),
        spatial=same,
        shapes=like("X", "x", "Input"),
        work=ELEMENTS,
    ),
    operators(
        "norm",
        kind="norm",
        channels=_l2_norm,
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
        computes="unit",
    ),
    operators("lrn", kind="norm", channels=_lrn, spatial=same, shapes=like("X"), work=ELEMENTS),
    pir=_PIR,
)
