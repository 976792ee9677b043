"""Sums, means and extremes along axes."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.channels.rules import blocks
from graphprobe.ops.channels.spec import (
    BlockChannels,
    Effect,
    OpContext,
    Propagate,
    axis_of,
    rank_of,
)
from graphprobe.ops.facets import HeadSlot, NoMap, family, operators
from graphprobe.ops.shapes.rules import best_of_axis, like, one_number, picked_axis, reduced_sizes
from graphprobe.ops.shapes.spec import Declared
from graphprobe.ops.spatial.rules import reduced, same
from graphprobe.ops.work.rules import ELEMENTS, SEARCHES


def _reduce(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    rank, attrs = rank_of(x.shape), view.op.attrs
    given = view.op.get_ints("dim") or view.op.get_ints("axis")
    axes = {axis_of(a, rank) for a in given}
    whole = attrs.get("reduce_all") or attrs.get("asvector") or not axes
    if whole or None in axes or x.layout.axis in axes:
        yield BlockChannels(x.layout, "it reduces over the channels, so their number counts")
        return
    kept = attrs.get("keep_dim") or attrs.get("keepdim")
    gone = 0 if kept else sum(1 for a in axes if a is not None and a < x.layout.axis)
    yield Propagate("Out", x.layout.at(x.layout.axis - gone))


def _pick(view: OpContext) -> Iterator[Effect]:
    """arg_max, top_k: the positions of the channels are the output."""
    x = view.port("X")
    if x is None or x.layout is None:
        return
    axis = axis_of(view.op.get_int("axis", -1), rank_of(x.shape))
    if axis is None or axis == x.layout.axis or view.op.attrs.get("flatten"):
        yield BlockChannels(x.layout, "the positions of its channels are the output", "output")
        return
    kept = view.op.attrs.get("keepdims") or not view.op.type.startswith("arg_m")
    at = x.layout.axis - (0 if kept or axis > x.layout.axis else 1)
    for slot in view.outputs:
        yield Propagate(slot, x.layout.at(at))


def _mean(view: OpContext) -> Iterator[Effect]:
    layout = view.layout("X")
    if layout is not None:
        yield BlockChannels(layout, "it reduces over the channels, so their number counts")


_REDUCE = "X Axis@dim > Out ; axis=dim keepdim=keep_dim"
_PIR = f"""
nonzero = where_index : Condition > Out
mean = reduce_mean : {_REDUCE}
sum = reduce_sum : {_REDUCE} dtype=out_dtype
max = reduce_max : {_REDUCE}
min = reduce_min : {_REDUCE}
prod = reduce_prod : {_REDUCE}
any = reduce_any : {_REDUCE}
all = reduce_all : {_REDUCE}
amax = reduce_amax : {_REDUCE}
amin = reduce_amin : {_REDUCE}
frobenius_norm : {_REDUCE}
p_norm : X > Out
mean_all = mean
argmax = arg_max : X Axis@axis > Out
argmin = arg_min : X Axis@axis > Out
argsort : X > Out Indices
topk = top_k_v2 : X K@k > Out Indices
"""

FAMILY = family(
    "reduction",
    operators(
        "reduce_mean reduce_sum reduce_max reduce_min reduce_prod reduce_any reduce_all "
        "reduce_amax reduce_amin frobenius_norm p_norm logsumexp",
        kind="reduce",
        channels=_reduce,
        spatial=reduced,
        shapes=reduced_sizes,
        work=ELEMENTS,
        computes={
            "reduce_max": "largest",
            "reduce_amax": "largest",
            "frobenius_norm": "length",
            "p_norm": "length",
        },
    ),
    operators(
        "mean squared_l2_norm l1_norm",
        kind="reduce",
        channels=_mean,
        spatial=NoMap("it makes one number"),
        shapes=one_number,
        work=ELEMENTS,
    ),
    operators(
        "arg_max arg_min",
        kind="select",
        channels=_pick,
        spatial=reduced,
        shapes=picked_axis,
        work=SEARCHES,
        heads=(HeadSlot("X"),),
        computes={"arg_max": "argmax", "arg_min": "argmin"},
    ),
    operators(
        "top_k top_k_v2:top_k",
        kind="select",
        channels=_pick,
        spatial=same,
        shapes=best_of_axis,
        work=SEARCHES,
        heads=(HeadSlot("X"),),
    ),
    operators(
        "kthvalue mode",
        kind="select",
        channels=_pick,
        spatial=reduced,
        shapes=picked_axis,
        work=SEARCHES,
    ),
    operators(
        "argsort",
        kind="select",
        channels=_pick,
        spatial=same,
        shapes=like("X"),
        work=SEARCHES,
        heads=(HeadSlot("X"),),
    ),
    operators(
        "unique unique_consecutive unique_with_counts histogram bincount searchsorted multinomial "
        "sampling_id median nanmedian where_index",
        kind="select",
        channels=blocks("their values decide how many there are", "unsupported_op"),
        spatial=NoMap("how many numbers it makes is known only while it runs"),
        shapes=Declared("their values decide how many there are"),
        work=SEARCHES,
    ),
    pir=_PIR,
)
