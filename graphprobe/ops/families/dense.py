"""Fully connected layers: mul, matmul, fc. They consume channels and make features."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from graphprobe.ops.channels.layout import ChannelLayout, own
from graphprobe.ops.channels.products import NO_WEIGHT, product
from graphprobe.ops.channels.rules import blocks, fixed
from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    Port,
    Propagate,
    PruneAlong,
    rank_of,
)
from graphprobe.ops.facets import ChannelFacet, NoMap, family, operators
from graphprobe.ops.shapes.rules import (
    dot_product,
    embedded,
    flattened_product,
    matrix_product,
    summed_letters,
    vector_product,
)
from graphprobe.ops.shapes.spec import Declared
from graphprobe.ops.work.rules import (
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
        yield from fixed(view, NO_WEIGHT)
        return
    rows, columns = (1, 0) if turned else (0, 1)
    made = own((w.param, columns), w.shape[columns], first)
    yield PruneAlong(w.param, made.at(columns), "out")
    given = None if x.stopped and x.layout is not None and x.layout.axis < first else x.layout
    if given is not None and given.axis < first:
        yield Propagate("Out", given)
        yield Propagate("Out", made, second=True)
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
    if x is not None and w is not None:
        yield from _with_bias(_dense(view, x, w, view.op.get_int("in_num_col_dims", 1)), bias)


def _with_bias(effects: Iterator[Effect], bias: Port | None) -> Iterator[Effect]:
    """The bias of a fused form is pruned with what the layer makes."""
    known = list(effects)
    made = {e.layout.runs for e in known if isinstance(e, PruneAlong) and e.role == "out"}
    vector = bias.param if bias is not None else None
    axis = max(0, (rank_of(bias.shape) or 1) - 1) if bias is not None else 0
    for effect in known:
        if vector is not None and isinstance(effect, Propagate) and effect.layout.runs in made:
            yield PruneAlong(vector, effect.layout.at(axis))
        yield effect


def _fused(view: OpContext) -> Iterator[Effect]:
    """A product, a bias and an activation in one op."""
    x, w = view.port("X"), view.port("Y")
    rank = rank_of(x.shape) if x is not None else None
    if x is None or w is None or rank is None or rank < 2 or view.op.attrs.get("trans_x"):
        yield from fixed(view, NO_WEIGHT)
        return
    turned = bool(view.op.attrs.get("trans_y"))
    yield from _with_bias(_dense(view, x, w, rank - 1, turned=turned), view.port("Bias"))


def _addmm(view: OpContext) -> Iterator[Effect]:
    """X times Y, and Input added: a fully connected layer where Y is a weight."""
    x, w, bias = view.port("X"), view.port("Y"), view.port("Input")
    if x is None or w is None or bias is None or bias.layout is not None or bias.param is None:
        yield from fixed(view, NO_WEIGHT)
        return
    effects = _dense(view, x, w, 1)
    yield from effects if (bias.shape or (1,))[-1] == 1 else _with_bias(effects, bias)


def _einsum(view: OpContext) -> Iterator[Effect]:
    """``bnd,df->bnf`` and ``bnd,fd->bnf``: a fully connected layer on the last axis."""
    ports = view.ports("Operands")
    read, _, made = view.op.get_str("equation").replace(" ", "").partition("->")
    x, _, w = read.partition(",")
    kept = x[:-1]
    dense = len(ports) == 2 and len(w) == 2 and x[-1:] in w and set(w).isdisjoint(kept)
    if not dense or made != kept + w.replace(x[-1:], "") or len(set(w)) != 2:
        yield from fixed(view, NO_WEIGHT)
        return
    yield from _dense(view, ports[0], ports[1], len(x) - 1, turned=w[1] == x[-1])


def _on_the_left(
    view: OpContext, w: Port, y: Port, turned_w: bool, turned_y: bool
) -> Iterator[Effect]:
    """A weight times a feature: the last axis but one is multiplied, and stands there again."""
    rank, rows = rank_of(y.shape), 1 if turned_w else 0
    if rank is None or w.param is None or w.shape is None or len(w.shape) != 2 or min(w.shape) < 1:
        yield from fixed(view, NO_WEIGHT)
        return
    made = own((w.param, rows), w.shape[rows], rank - 2)
    yield PruneAlong(w.param, made.at(rows), "out")
    if y.layout is not None and y.layout.axis == (rank - 1 if turned_y else rank - 2):
        if y.layout.extent == w.shape[1 - rows]:
            yield PruneAlong(w.param, y.layout.at(1 - rows), "in")
        else:
            yield BlockChannels(y.layout, "its weight does not fit the channels that reach it")
    elif y.layout is not None:
        yield Propagate("Out", y.layout.at(rank - 1) if y.layout.axis == rank - 2 else y.layout)
        yield Propagate("Out", made, second=True)
        return
    yield Propagate("Out", made)


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
    elif x.param is not None and x.layout is None and y.param is None:
        yield from _on_the_left(view, x, y, turned_x, turned_y)
    else:
        yield from product(view, x, y, turned_x, turned_y)


def _bmm(view: OpContext) -> Iterator[Effect]:
    x, y = view.port("X"), view.port("Y")
    if x is not None and y is not None:
        yield from product(view, x, y, False, False)


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
        channels=ChannelFacet(_fused, makes=True),
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
            channels=rule,
            spatial=_NO_MAP,
            shapes=shapes,
            work=work,
        )
        for name, rule, shapes, work in (
            ("addmm", ChannelFacet(_addmm, makes=True), matrix_product, matrix_work),
            ("mv", blocks(NO_WEIGHT), vector_product, whole_product("X")),
            ("dot", blocks(NO_WEIGHT), dot_product, whole_product("X")),
            ("einsum", ChannelFacet(_einsum, makes=True), summed_letters, letters_work),
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
