"""Quantise and dequantise ops, simulated and real; on weights and on features."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.layout import own
from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    Propagate,
    PruneAlong,
    Rule,
)
from graphprobe.ops.facets import ChannelFacet, OpSpec, family, operators
from graphprobe.ops.shapes.contents import passed
from graphprobe.ops.spatial.rules import same
from graphprobe.ops.work.rules import ELEMENTS


def _quantise(slot: str, out: str, scales: str, attr: str) -> Rule:
    """A scale for the whole tensor (one number), or one for each entry of axis `attr`."""

    def rule(view: OpContext) -> Iterator[Effect]:
        x, scale = view.port(slot), view.port(scales)
        if x is None:
            return
        axis = view.op.get_int(attr, 0)
        many = scale is not None and scale.param is not None and max(scale.shape or (1,)) > 1
        if many and scale is not None and scale.param is not None:
            if x.param is not None and x.shape is not None and 0 <= axis < len(x.shape):
                yield PruneAlong(scale.param, own((x.param, axis), x.shape[axis], 0))
            elif x.layout is not None and x.layout.axis == axis:
                yield PruneAlong(scale.param, x.layout.at(0))
            elif x.layout is not None:
                yield BlockChannels(x.layout, "its scales run along another axis")
                return
        if x.layout is not None:
            yield Propagate(out, x.layout)

    return rule


def _row(
    names: str, slot: str, out: str, scales: str = "Scale", attr: str = "quant_axis"
) -> tuple[OpSpec, ...]:
    return operators(
        names,
        kind="quantize",
        channels=ChannelFacet(_quantise(slot, out, scales, attr), keeps_param=True),
        spatial=same,
        shapes=passed(slot),
        work=ELEMENTS,
    )


_PIR = """
quantize_linear : X Scale ZeroPoint InAccum InState > Y OutScale OutAccum OutState
dequantize_linear : X Scale ZeroPoint InAccum InState > Y OutScale OutAccum OutState
fake_quantize_dequantize_moving_average_abs_max : X InScale InAccum InState > Out OutScale \
OutState OutAccum
fake_channel_wise_quantize_dequantize_abs_max : X > Out OutScale
fake_quantize_dequantize_abs_max : X > Out OutScale
"""

FAMILY = family(
    "quantize",
    _row("quantize_linear dequantize_linear", "X", "Y"),
    _row(
        "fake_quantize_abs_max fake_quantize_range_abs_max fake_quantize_moving_average_abs_max "
        "fake_quantize_dequantize_abs_max fake_quantize_dequantize_moving_average_abs_max "
        "moving_average_abs_max_scale fake_channel_wise_quantize_abs_max "
        "fake_channel_wise_quantize_dequantize_abs_max",
        "X",
        "Out",
        "InScale",
    ),
    _row("fake_channel_wise_dequantize_max_abs", "X", "Out", "Scales"),
    _row("fake_dequantize_max_abs dequantize_abs_max dequantize_log", "X", "Out"),
    _row("quantize dequantize requantize", "Input", "Output"),
    pir=_PIR,
)
