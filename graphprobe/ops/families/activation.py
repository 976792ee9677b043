"""One number in, one number out: activations and other ops that leave every axis alone."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.shared_rules import passes
from graphprobe.ops.spec import (
    BlockChannels,
    Effect,
    Family,
    OpContext,
    OpSpec,
    Propagate,
    PruneAlong,
    axis_of,
    rank_of,
    table,
)


def _prelu(view: OpContext) -> Iterator[Effect]:
    """Alpha is [1], [1, C, 1, 1] (or [C]) or one number for each element."""
    x, alpha = view.port("X"), view.port("Alpha")
    if x is None or x.layout is None:
        return
    if alpha is not None and alpha.param is not None and alpha.shape is not None:
        axis = x.layout.axis if len(alpha.shape) > 1 else 0
        if alpha.size(axis) == x.layout.extent > 1:
            yield PruneAlong(alpha.param, x.layout.at(axis))
    yield Propagate("Out", x.layout)


def _along_axis(view: OpContext) -> Iterator[Effect]:
    """softmax, cumsum: what happens along the channels mixes them."""
    x = view.port("X")
    if x is None or x.layout is None:
        return
    axis = axis_of(view.op.get_int("axis", -1), rank_of(x.shape))
    if axis is None or axis == x.layout.axis or view.op.attrs.get("flatten"):
        yield BlockChannels(x.layout, "it runs along the channels, so the others would change")
    else:
        yield Propagate("Out", x.layout)


FAMILY = Family(
    "activation",
    table(
        (
            OpSpec(passes("X")),
            "relu relu6 leaky_relu sigmoid logsigmoid hard_sigmoid hardsigmoid swish "
            "hard_swish hardswish silu mish tanh tanh_shrink elu selu celu gelu softplus "
            "softsign softshrink hard_shrink thresholded_relu brelu hardtanh stanh erf exp log "
            "log1p log2 sqrt rsqrt square abs pow reciprocal sin cos floor ceil round sign "
            "clip dropout scale increment isnan isinf isfinite logical_not fill_any_like "
            "fill_zeros_like fill_zeros_like2 zeros_like ones_like full_like memcpy memcpy_d2h "
            "memcpy_h2d share_data c_identity print lod_reset",
        ),
        (OpSpec(passes("X"), keeps_param=True), "assign cast"),
        (OpSpec(_prelu), "prelu"),
        (OpSpec(_along_axis), "softmax log_softmax cumsum"),
    ),
)
