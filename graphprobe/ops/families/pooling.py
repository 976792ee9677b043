"""Pooling, padding and other ops that work within each channel's map."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.shared_rules import fixed
from graphprobe.ops.spec import (
    BlockChannels,
    Effect,
    Family,
    OpContext,
    OpSpec,
    Propagate,
    Rule,
    channel_axis,
    rank_of,
    table,
)


def _maps(layout_attr: str, slot: str = "X", out: str = "Out") -> Rule:
    """Each channel's map is worked on by itself; every other input must carry nothing."""

    def rule(view: OpContext) -> Iterator[Effect]:
        x = view.port(slot)
        for port in view.carrying():
            if port is not x and port.layout is not None:
                yield BlockChannels(
                    port.layout, "they say where to look, and their number is fixed"
                )
        if x is None or x.layout is None:
            return
        if x.layout.axis != channel_axis(view, layout_attr, rank_of(x.shape)):
            yield BlockChannels(x.layout, "it works on the axis that carries the channels")
        else:
            yield Propagate(out, x.layout)
            if "Mask" in view.outputs:
                yield Propagate("Mask", x.layout)

    return rule


def _unpool(view: OpContext) -> Iterator[Effect]:
    """The indices come from a max_pool2d_with_index, whose own input carries the channels."""
    yield from fixed(view, "it places each channel by indices that are not followed")


def _pad(view: OpContext) -> Iterator[Effect]:
    """Attribute ``paddings`` of op pad: before and after, axis by axis."""
    x = view.port("X")
    if x is None or x.layout is None:
        return
    paddings = view.op.get_ints("paddings")
    at = 2 * x.layout.axis
    if len(paddings) < at + 2 or paddings[at] or paddings[at + 1]:
        yield BlockChannels(x.layout, "it pads the axis of the channels")
    else:
        yield Propagate("Out", x.layout)


FAMILY = Family(
    "pooling",
    table(
        (
            OpSpec(_maps("data_format")),
            "pool2d pool3d max_pool2d_with_index max_pool3d_with_index pad2d pad3d",
        ),
        (OpSpec(_maps("data_layout")), "roi_align roi_pool"),
        (OpSpec(_maps("data_format", out="Output")), "grid_sampler"),
        (OpSpec(_unpool), "unpool"),
        (OpSpec(_pad), "pad"),
    ),
)
