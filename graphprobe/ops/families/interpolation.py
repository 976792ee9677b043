"""Resizing of maps, in both generations of op types."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.spec import (
    BlockChannels,
    Effect,
    Family,
    OpContext,
    OpSpec,
    Propagate,
    channel_axis,
    rank_of,
    table,
)


def _resize(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    if x.layout.axis != channel_axis(view, "data_layout", rank_of(x.shape)):
        yield BlockChannels(x.layout, "it resizes the axis of the channels")
    else:
        yield Propagate("Out", x.layout)


FAMILY = Family(
    "interpolation",
    table(
        (
            OpSpec(_resize),
            "nearest_interp nearest_interp_v2 bilinear_interp bilinear_interp_v2 bicubic_interp "
            "bicubic_interp_v2 trilinear_interp trilinear_interp_v2 linear_interp linear_interp_v2",
        ),
    ),
)
