"""Resizing of maps, in both generations of op types."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    Propagate,
    channel_axis,
    rank_of,
)
from graphprobe.ops.facets import family, operators
from graphprobe.ops.shapes.windows import resized_sizes
from graphprobe.ops.spatial.rules import resized
from graphprobe.ops.work.rules import ELEMENTS


def _resize(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    if x.layout.axis != channel_axis(view, "data_layout", rank_of(x.shape)):
        yield BlockChannels(x.layout, "it resizes the axis of the channels")
    else:
        yield Propagate("Out", x.layout)


_INTERP = "X OutSize SizeTensor Scale > Out ; data_format=data_layout"
_PIR = f"""
nearest_interp = nearest_interp_v2 : {_INTERP}
bilinear_interp = bilinear_interp_v2 : {_INTERP}
bicubic_interp = bicubic_interp_v2 : {_INTERP}
linear_interp = linear_interp_v2 : {_INTERP}
trilinear_interp = trilinear_interp_v2 : {_INTERP}
"""

FAMILY = family(
    "interpolation",
    operators(
        "nearest_interp:resize-nearest nearest_interp_v2:resize-nearest "
        "bilinear_interp:resize-bilinear bilinear_interp_v2:resize-bilinear "
        "bicubic_interp:resize-bicubic bicubic_interp_v2:resize-bicubic "
        "trilinear_interp:resize-trilinear trilinear_interp_v2:resize-trilinear "
        "linear_interp:resize-linear linear_interp_v2:resize-linear",
        kind="upsample",
        channels=_resize,
        spatial=resized,
        shapes=resized_sizes,
        work=ELEMENTS,
    ),
    pir=_PIR,
)
