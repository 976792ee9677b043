"""Pooling, padding and other ops that work within each channel's map."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.rules import blocks, fixed, together
from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    Propagate,
    Rule,
    channel_axis,
    rank_of,
)
from graphprobe.ops.facets import NoMap, family, operators
from graphprobe.ops.shapes.rules import like
from graphprobe.ops.shapes.spec import Declared
from graphprobe.ops.shapes.windows import cut_out_regions, padded, pooled_sizes, sampled
from graphprobe.ops.spatial.rules import declared, enlarged, kept, pooled
from graphprobe.ops.work.rules import ELEMENTS, MOVES


def _maps(layout_attr: str, slot: str = "X", out: str = "Out") -> Rule:
    """Each channel's map is worked on by itself; every other input must carry nothing."""

    def rule(view: OpContext) -> Iterator[Effect]:
        x = view.port(slot)
        for port in view.carrying():
            if port is not x and port.layout is not None:
                yield BlockChannels(port.layout, "they hold positions, and their number is fixed")
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
    """Each channel's numbers go to places of its own map; the places have the same channels."""
    x, places = view.port("X"), view.port("Indices")
    if x is None or x.layout is None or x.layout.axis != 1:
        yield from fixed(view, "it places channels by numbers that have none")
        return
    if places is not None:
        yield from together(x.layout, places, 1)
    yield Propagate("Out", x.layout)


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


_PIR = """
pool2d : X KernelSize@ksize > Out ; kernel_size=ksize
pool3d ; kernel_size=ksize
max_pool2d_with_index : X > Out Mask ; kernel_size=ksize
max_pool3d_with_index : X > Out Mask ; kernel_size=ksize
unpool : X Indices OutputSize@output_size > Out ; padding=paddings
grid_sample = grid_sampler : X Grid > Output
affine_grid : Theta OutputShape@output_shape > Output
pad : X PadValue@pad_value > Out
pad3d : X Paddings@paddings > Out ; pad_value=value
roi_align : X ROIs RoisNum > Out
roi_pool : X ROIs RoisNum > Out Argmax
psroi_pool : X ROIs RoisNum > Out
"""

FAMILY = family(
    "pooling",
    operators(
        "pool2d:pool pool3d:pool max_pool2d_with_index:pool max_pool3d_with_index:pool "
        "max_pool2d_v2:pool",
        kind="pool",
        channels=_maps("data_format"),
        spatial=pooled,
        shapes=pooled_sizes,
        work=ELEMENTS,
    ),
    operators(
        "pad2d pad3d",
        kind="pad",
        channels=_maps("data_format"),
        spatial=kept,
        shapes=padded,
        work=MOVES,
    ),
    operators("pad", kind="pad", channels=_pad, spatial=kept, shapes=padded, work=MOVES),
    operators(
        "pad_constant_like",
        kind="pad",
        channels=blocks("it pads to the size of another tensor", "unsupported_op"),
        spatial=kept,
        shapes=like("X"),
        work=MOVES,
    ),
    operators(
        "roi_align roi_pool",
        kind="sample",
        channels=_maps("data_layout"),
        spatial=NoMap("its maps are of regions, not of the image"),
        shapes=cut_out_regions,
        work=ELEMENTS,
    ),
    operators(
        "psroi_pool prroi_pool deformable_psroi_pooling",
        kind="sample",
        channels=blocks("it spreads the channels over the cells of a region", "unsupported_op"),
        spatial=NoMap("its maps are of regions, not of the image"),
        shapes=Declared("its channels follow from attributes of each op"),
        work=ELEMENTS,
    ),
    operators(
        "grid_sampler",
        kind="sample",
        channels=_maps("data_format", out="Output"),
        spatial=declared,
        shapes=sampled,
        work=ELEMENTS,
    ),
    operators(
        "affine_grid",
        kind="sample",
        channels=blocks("they are the numbers of a transformation", "unsupported_op"),
        spatial=NoMap("it makes places to look at"),
        shapes=Declared("its sizes are computed by the op alone"),
        work=ELEMENTS,
    ),
    operators(
        "unpool unpool3d",
        kind="upsample",
        channels=_unpool,
        spatial=enlarged,
        shapes=Declared("its sizes follow from the pooling that it undoes"),
        work=MOVES,
    ),
    operators(
        "spp correlation",
        kind="pool",
        channels=blocks("it makes channels of places", "unsupported_op"),
        spatial=NoMap("its places become channels"),
        shapes=Declared("its sizes follow from attributes of each op"),
        work=ELEMENTS,
    ),
    pir=_PIR,
)
