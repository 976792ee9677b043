"""Normalisation and affine ops: one number for each channel, or statistics over channels."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.shared_rules import neighbours_alike, together
from graphprobe.ops.spec import (
    AttrUpdate,
    BlockChannels,
    Effect,
    Family,
    OpContext,
    OpSpec,
    PolicyBoundary,
    Propagate,
    PruneAlong,
    Rule,
    axis_of,
    channel_axis,
    rank_of,
    table,
)


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
        detail = "it normalises over the channels, so the others would change if some were cut"
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


def _along(attr: str, default: int) -> Rule:
    """The norm of a vector along one axis: channels that are zero do not count in it."""

    def rule(view: OpContext) -> Iterator[Effect]:
        x = view.port("X")
        if x is None or x.layout is None:
            return
        axis = axis_of(view.op.get_int(attr, default), rank_of(x.shape))
        whole = bool(view.op.attrs.get("asvector"))
        if axis is None or whole or x.layout.axis == axis:
            yield BlockChannels(x.layout, "it reduces over the channels")
        else:
            yield Propagate("Out", x.layout)

    return rule


def _lrn(view: OpContext) -> Iterator[Effect]:
    layout = view.layout("X")
    if layout is not None:
        yield BlockChannels(layout, "it normalises over neighbouring channels, which would change")


def _affine(view: OpContext) -> Iterator[Effect]:
    yield from _per_channel("data_layout", "Out")(view)


FAMILY = Family(
    "norm",
    table(
        (
            OpSpec(_per_channel("data_layout", "Y")),
            "batch_norm sync_batch_norm inplace_abn instance_norm fused_batch_norm_act",
        ),
        (OpSpec(_per_channel("data_layout", "Y", "Z")), "fused_bn_add_activation"),
        (OpSpec(_affine), "affine_channel"),
        (OpSpec(_layer_norm), "layer_norm"),
        (OpSpec(_group_norm), "group_norm"),
        (OpSpec(_along("axis", 1)), "norm p_norm"),
        (OpSpec(_lrn), "lrn"),
    ),
)
