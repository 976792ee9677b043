"""Fully connected layers: mul, matmul, fc. They consume channels and make features."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from graphprobe.ops.channel_layout import ChannelLayout, own
from graphprobe.ops.facets import ChannelFacet, NoMap, family, operators
from graphprobe.ops.shape_rules import (
    dot_product,
    embedded,
    flattened_product,
    matrix_product,
    summed_letters,
    vector_product,
)
from graphprobe.ops.shape_spec import Declared
from graphprobe.ops.shared_rules import blocks, fixed
from graphprobe.ops.spec import (
    BlockChannels,
    Effect,
    OpContext,
    Port,
    Propagate,
    PruneAlong,
    TieChannels,
    rank_of,
)
from graphprobe.ops.work_rules import (
    NoWork,
    Uncounted,
    dense_work,
    letters_work,
    matrix_work,
    whole_product,
)


def _flat(x: Port, layout: ChannelLayout, first: int) -> ChannelLayout | None:
    """The channels after the axes from `first` on became one; None where a size is unknown."""
    before = (x.shape or ())[first : layout.axis]
    behind = (x.shape or ())[layout.axis + 1 :]
    if x.shape is None or any(s <= 0 for s in (*before, *behind)):
        return None
    return ChannelLayout(0, layout.runs, layout.inner * prod(behind), layout.outer * prod(before))


def _dense(
    view: OpContext, x: Port, w: Port, first: int, *, turned: bool = False
) -> Iterator[Effect]:
    """x, its axes from `first` on flattened, times w: [in, out], or [out, in] where turned."""
    if w.param is None or w.shape is None or len(w.shape) != 2 or min(w.shape) < 1:
        yield from fixed(view, _NO_WEIGHT)
        return
    rows, columns = (1, 0) if turned else (0, 1)
    made = own((w.param, columns), w.shape[columns], first)
    yield PruneAlong(w.param, made.at(columns), "out")
    given = None if x.stopped and x.layout is not None and x.layout.axis < first else x.layout
    if given is not None and given.axis < first:
        # One axis is followed: the channels', so the features must stay.
        yield BlockChannels(made, "channels run along another axis of its input", "unsupported_op")
        yield Propagate("Out", given)
        return
    if given is not None:
        flat = _flat(x, given, first)
        if flat is None or flat.extent != w.shape[rows]:
            yield BlockChannels(given, "its weight does not fit the channels that reach it")
        else:
            yield PruneAlong(w.param, flat.at(rows), "in")
    yield Propagate("Out", made)


def _mul(view: OpContext) -> Iterator[Effect]:
    x, y = view.port("X"), view.port("Y")
    if x is not None and y is not None:
        yield from _dense(view, x, y, view.op.get_int("x_num_col_dims", 1))


def _fc(view: OpContext) -> Iterator[Effect]:
    x, w, bias = view.port("Input"), view.port("W"), view.port("Bias")
    if x is None or w is None:
        return
    for effect in _dense(view, x, w, view.op.get_int("in_num_col_dims", 1)):
        if isinstance(effect, Propagate) and bias is not None and bias.param is not None:
            yield PruneAlong(bias.param, effect.layout.at(max(0, len(bias.shape or (0,)) - 1)))
        yield effect


def _matmul(view: OpContext) -> Iterator[Effect]:
    """With a weight on the right: a fully connected layer on the last axis."""
    x, y = view.port("X"), view.port("Y")
    if x is None or y is None:
        return
    names = ("transpose_X", "transpose_Y") if view.op.type == "matmul" else ("trans_x", "trans_y")
    turned_x, turned_y = (bool(view.op.attrs.get(name)) for name in names)
    rank = rank_of(x.shape)
    if y.turned is not None and y.shape is not None and y.layout is None:
        y, turned_y = y._replace(param=y.turned, shape=y.shape[::-1]), not turned_y
    if y.param is not None and y.layout is None and not turned_x and rank is not None and rank > 1:
        yield from _dense(view, x, y, rank - 1, turned=turned_y)
    else:
        yield from _product(view, x, y, turned_x, turned_y)


def _bmm(view: OpContext) -> Iterator[Effect]:
    x, y = view.port("X"), view.port("Y")
    if x is not None and y is not None:
        yield from _product(view, x, y, False, False)


def _product(view: OpContext, x: Port, y: Port, turned_x: bool, turned_y: bool) -> Iterator[Effect]:
    """Two features: channels pass along the axes of a batch (heads), of rows and of columns.

    They are lost along the axis that is summed over: each is multiplied there with one of the
    other feature, and a zero in place of it is not what a pruning leaves out of a softmax.
    """
    ranks = len(x.shape or ()), len(y.shape or ())
    if min(ranks) < 2:
        yield from fixed(view, _NO_WEIGHT)
        return
    rank = max(ranks)
    sides = [(x, rank - ranks[0], turned_x, 1), (y, rank - ranks[1], turned_y, 0)]
    passing: ChannelLayout | None = None
    for port, missing, turned, summed in sides:
        if port.layout is None:
            continue
        axis = port.layout.axis + missing
        matrix = axis - (rank - 2)
        if matrix >= 0 and (1 - matrix if turned else matrix) == summed:
            yield BlockChannels(port.layout, _SUMMED)
        elif passing is None:
            passing = port.layout.at(axis if matrix < 0 else rank - 1 - summed)
            if matrix < 0:
                yield from _batched(port.layout, axis, sides[summed])
            yield Propagate("Out", passing)
        elif matrix >= 0 or passing.axis != axis:
            yield BlockChannels(port.layout, "channels run along another axis of its product")


def _batched(
    layout: ChannelLayout, axis: int, other: tuple[Port, int, bool, int]
) -> Iterator[Effect]:
    """The other operand has the same heads, or one for all of them."""
    port, missing, _, _ = other
    own = axis - missing
    mine = port.layout is not None and port.layout.axis == own
    if own < 0 or (port.size(own) == 1 and not mine):
        return
    if port.layout is not None and mine:
        if port.layout.extent == layout.extent:
            yield TieChannels(layout.at(axis), port.layout.at(axis))
        elif port.layout.extent != 1:
            yield BlockChannels(layout, _NO_WEIGHT)
    else:
        detail = f"{port.name}, which it multiplies with, cannot be pruned"
        yield BlockChannels(layout, detail, because=port.name)


_SUMMED = "it sums over these channels, each times one of another feature"
_NO_WEIGHT = "it multiplies two tensors, neither of which is a weight on the right"


_NO_MAP = NoMap("a product of matrices mixes the axes that it runs along")

_PIR = """
matmul = matmul_v2 : X Y > Out ; transpose_x=trans_x transpose_y=trans_y
matmul_with_flatten = mul : X Y > Out
bmm : X Y > Out
mv : X Vec > Out
dot : X Y > Out
addmm : Input X Y > Out ; alpha=Alpha beta=Beta
einsum : Operands > Out InnerCache XShape
fc : Input W Bias > Out
fused_gemm_epilogue : X Y Bias > Out ReserveSpace
embedding = lookup_table_v2 : Ids W > Out ; sparse=is_sparse
"""

FAMILY = family(
    "dense",
    operators(
        "mul",
        kind="linear",
        channels=ChannelFacet(_mul, makes=True),
        spatial=_NO_MAP,
        shapes=flattened_product("X", "Y", "x_num_col_dims"),
        work=dense_work("X", "Y"),
    ),
    operators(
        "fc",
        kind="linear",
        channels=ChannelFacet(_fc, makes=True),
        spatial=_NO_MAP,
        shapes=flattened_product("Input", "W", "in_num_col_dims"),
        work=dense_work("Input", "W"),
    ),
    operators(
        "matmul matmul_v2:matmul",
        kind="linear",
        channels=ChannelFacet(_matmul, makes=True),
        spatial=_NO_MAP,
        shapes=matrix_product,
        work=matrix_work,
    ),
    operators(
        "fused_gemm_epilogue:fc",
        kind="linear",
        channels=ChannelFacet(
            blocks("channels are not followed into this product", "unsupported_op"), makes=True
        ),
        spatial=_NO_MAP,
        shapes=matrix_product,
        work=matrix_work,
    ),
    operators(
        "bmm",
        kind="linear",
        channels=_bmm,
        spatial=_NO_MAP,
        shapes=matrix_product,
        work=matrix_work,
    ),
    *(
        operators(
            name,
            kind="linear",
            channels=blocks("it multiplies two tensors, neither of which is a weight on the right"),
            spatial=_NO_MAP,
            shapes=shapes,
            work=work,
        )
        for name, shapes, work in (
            ("addmm", matrix_product, matrix_work),
            ("mv", vector_product, whole_product("X")),
            ("dot", dot_product, whole_product("X")),
            ("einsum", summed_letters, letters_work),
        )
    ),
    operators(
        "bilinear_tensor_product sequence_conv row_conv sequence_project "
        "fused_fc_elementwise_layernorm fused_attention fused_feedforward "
        "fused_multi_transformer fused_multihead_matmul multihead_matmul "
        "fused_embedding_eltwise_layernorm self_dp_attention flash_attn "
        "scaled_dot_product_attention memory_efficient_attention fused_dot_product_attention "
        "weight_only_linear fused_linear_param_grad_add fusion_repeated_fc_relu "
        "fusion_squared_mat_sub qkv_unpack_mha variable_length_memory_efficient_attention",
        kind="linear",
        channels=ChannelFacet(
            blocks("channels are not followed into this layer", "unsupported_op"), makes=True
        ),
        spatial=_NO_MAP,
        shapes=Declared("its sizes follow from what it is fused of"),
        work=Uncounted("products inside of it are not counted"),
    ),
    operators(
        "lookup_table:embedding lookup_table_v2:embedding embedding c_embedding:embedding "
        "lookup_table_dequant:embedding fused_embedding_seq_pool:embedding",
        kind="embedding",
        channels=ChannelFacet(
            blocks("it is used as numbers of entries", "unsupported_op"), makes=True
        ),
        spatial=NoMap("it reads numbers of words, not a map"),
        shapes=embedded,
        work=NoWork("it picks rows of a table and multiplies nothing"),
    ),
    pir=_PIR,
)
