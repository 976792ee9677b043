"""Sums, means and extremes along axes."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ops.spec import (
    BlockChannels,
    Effect,
    Family,
    OpContext,
    OpSpec,
    Propagate,
    axis_of,
    rank_of,
    table,
)


def _reduce(view: OpContext) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    rank = rank_of(x.shape)
    given = view.op.get_ints("dim") or view.op.get_ints("axis")
    axes = {axis_of(a, rank) for a in given}
    if view.op.attrs.get("reduce_all") or not axes or None in axes or x.layout.axis in axes:
        yield BlockChannels(x.layout, "it reduces over the channels, so their number tells")
        return
    kept = view.op.attrs.get("keep_dim") or view.op.attrs.get("keepdim")
    gone = 0 if kept else sum(1 for a in axes if a is not None and a < x.layout.axis)
    yield Propagate("Out", x.layout.at(x.layout.axis - gone))


def _pick(view: OpContext) -> Iterator[Effect]:
    """arg_max, top_k: the numbers of the channels are the answer."""
    x = view.port("X")
    if x is None or x.layout is None:
        return
    axis = axis_of(view.op.get_int("axis", -1), rank_of(x.shape))
    if axis is None or axis == x.layout.axis or view.op.attrs.get("flatten"):
        yield BlockChannels(x.layout, "the numbers of its channels are the answer", "output")
        return
    kept = view.op.attrs.get("keepdims") or not view.op.type.startswith("arg_m")
    at = x.layout.axis - (0 if kept or axis > x.layout.axis else 1)
    for slot in view.outputs:
        yield Propagate(slot, x.layout.at(at))


def _mean(view: OpContext) -> Iterator[Effect]:
    layout = view.layout("X")
    if layout is not None:
        yield BlockChannels(layout, "it reduces over the channels, so their number tells")


FAMILY = Family(
    "reduction",
    table(
        (
            OpSpec(_reduce),
            "reduce_mean reduce_sum reduce_max reduce_min reduce_prod reduce_any reduce_all "
            "frobenius_norm logsumexp",
        ),
        (OpSpec(_mean), "mean squared_l2_norm"),
        (OpSpec(_pick), "arg_max arg_min argsort top_k top_k_v2 kthvalue mode"),
    ),
)
