"""One number in, one number out: activations and other ops that leave every axis alone."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.rules import blocks, passes
from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    Propagate,
    PruneAlong,
    axis_of,
    rank_of,
)
from graphprobe.ops.facets import ChannelFacet, family, operators
from graphprobe.ops.shapes.contents import CEIL, FLOOR, cast_to, filled_like, passed, scaled_numbers
from graphprobe.ops.shapes.rules import like
from graphprobe.ops.shapes.spec import Declared
from graphprobe.ops.spatial.rules import same
from graphprobe.ops.work.rules import ELEMENTS, MOVES, SIZES


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


_PIR = """
hardswish = hard_swish
hardsigmoid = hard_sigmoid
hardshrink = hard_shrink
hardtanh = brelu
softshrink ; threshold=lambda
mish ; lambda=threshold
leaky_relu ; negative_slope=alpha
prelu : X Alpha > Out
pow : X FactorTensor@factor > Out ; y=factor
clip : X Min@min Max@max > Out
scale : X ScaleTensor@scale > Out
dropout : X Seed DropoutProb@dropout_prob > Out Mask ; p=dropout_prob mode=dropout_implementation
isfinite = isfinite_v2
isinf = isinf_v2
isnan = isnan_v2
cast ; dtype=out_dtype
full_like = fill_any_like : X Value@value > Out
trunc : X > Out
cumsum : X Axis@axis > Out
label_smooth : X PriorDist > Out
"""

FAMILY = family(
    "activation",
    operators(
        "relu relu6 leaky_relu sigmoid logsigmoid hard_sigmoid:hsigmoid hardsigmoid:hsigmoid swish "
        "hard_swish:hswish hardswish:hswish silu mish tanh tanh_shrink elu selu celu gelu softplus "
        "softsign softshrink hard_shrink hardshrink thresholded_relu brelu hardtanh stanh "
        "soft_relu logit rrelu",
        kind="activation",
        channels=passes("X"),
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
        computes={
            "sigmoid": "sigmoid",
            "brelu": "limit",
            "hardtanh": "limit",
            **dict.fromkeys(
                ("logsigmoid", "hard_sigmoid", "hardsigmoid", "softplus", "soft_relu", "logit"),
                "nonzero",
            ),
        },
    ),
    operators(
        "prelu", kind="activation", channels=_prelu, spatial=same, shapes=like("X"), work=ELEMENTS
    ),
    operators(
        "swiglu",
        kind="activation",
        channels=blocks("it multiplies one half of the channels with the other", "unsupported_op"),
        spatial=same,
        shapes=Declared("it keeps all channels of two inputs, or half of one"),
        work=ELEMENTS,
    ),
    operators(
        "softmax log_softmax sparse_softmax gumbel_softmax",
        kind="softmax",
        channels=_along_axis,
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    ),
    *(
        operators(
            name,
            kind="unary",
            channels=passes("X"),
            spatial=same,
            shapes=rule,
            work=ELEMENTS,
            computes={"scale": "affine"},
        )
        for name, rule in (("scale", scaled_numbers), ("floor", FLOOR), ("ceil", CEIL))
    ),
    operators(
        "exp expm1 log log1p log2 log10 sqrt rsqrt square abs pow reciprocal erf erfinv sin cos "
        "tan asin acos atan sinh cosh asinh acosh atanh round trunc sign clip "
        "clip_by_norm digamma lgamma increment label_smooth fill_diagonal tril triu tril_triu",
        kind="unary",
        channels=passes("X"),
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
        computes={
            "clip": "limit",
            "pow": "power",
            "sqrt": "root",
            "rsqrt": "root",
            **dict.fromkeys(
                (
                    "exp",
                    "log",
                    "log2",
                    "log10",
                    "reciprocal",
                    "cos",
                    "acos",
                    "cosh",
                    "acosh",
                    "digamma",
                    "lgamma",
                    "increment",
                    "label_smooth",
                    "fill_diagonal",
                ),
                "nonzero",
            ),
        },
    ),
    operators(
        "cumsum cumprod logcumsumexp",
        kind="unary",
        channels=_along_axis,
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    ),
    operators(
        "dropout memcpy memcpy_d2h memcpy_h2d share_data share_buffer print lod_reset "
        "transfer_layout transfer_dtype alpha_dropout dropout_nd",
        kind="identity",
        channels=passes("X"),
        spatial=same,
        shapes=passed("X"),
        work=MOVES,
        computes={"dropout": "dropout", "dropout_nd": "dropout"},
    ),
    operators(
        "assign",
        kind="identity",
        channels=ChannelFacet(passes("X"), keeps_param=True),
        spatial=same,
        shapes=passed("X"),
        work=MOVES,
    ),
    operators(
        "cast",
        kind="identity",
        channels=ChannelFacet(passes("X"), keeps_param=True),
        spatial=same,
        shapes=cast_to,
        work=MOVES,
    ),
    operators(
        "isnan isinf isfinite isnan_v2 isinf_v2 isfinite_v2 logical_not bitwise_not",
        kind="comparison",
        channels=passes("X"),
        spatial=same,
        shapes=like("X"),
        work=ELEMENTS,
    ),
    operators(
        "fill_any_like fill_zeros_like fill_zeros_like2 zeros_like ones_like full_like fill_any",
        kind="size",
        channels=passes("X"),
        spatial=same,
        shapes=filled_like,
        work=SIZES,
    ),
    operators(
        "c_identity c_allreduce_sum c_broadcast c_sync_calc_stream c_sync_comm_stream "
        "mp_allreduce_sum",
        kind="collective",
        channels=passes("X"),
        spatial=same,
        shapes=passed("X"),
        work=MOVES,
    ),
    pir=_PIR,
)
