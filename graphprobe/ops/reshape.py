"""Reshape, flatten, squeeze, unsqueeze: the same numbers under other sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from graphprobe.ops._layout import Layout
from graphprobe.ops._regroup import regroup
from graphprobe.ops._spec import (
    Carry,
    Edit,
    Effect,
    Family,
    Meet,
    OpSpec,
    Port,
    Stop,
    View,
    axis_of,
    rank_of,
    table,
)
from graphprobe.ops._together import equal_stretches


def _reshape(view: View) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    wanted = view.op.get_ints("shape")
    if view.ports("Shape") or view.ports("ShapeTensor") or not wanted or x.shape is None:
        yield Stop(x.layout, "its target shape is computed while the network runs")
        return
    after = _target(x, x.layout, wanted)
    yield from _regrouped(x, x.layout, after, wanted)


def _target(x: Port, layout: Layout, wanted: Sequence[int]) -> list[int]:
    """The shape after: 0 copies a size, one -1 is what is left."""
    before = list(x.shape or ())
    before[layout.axis] = layout.extent
    after = [before[i] if s == 0 and i < len(before) else s for i, s in enumerate(wanted)]
    if wanted.count(-1) == 1 and all(s > 0 for s in before):
        known = prod(s for s in after if s != -1)
        if known > 0 and prod(before) % known == 0:
            after[list(wanted).index(-1)] = prod(before) // known
    return after


def _regrouped(
    x: Port, layout: Layout, after: Sequence[int], wanted: Sequence[int]
) -> Iterator[Effect]:
    found = regroup(layout, x.shape or (), after)
    if found is None:
        yield Stop(layout, "it mixes the channels with other axes")
        return
    if found.rows > 1:
        yield Meet("reorder", layout)
        once = Layout(layout.axis, layout.runs)
        yield from equal_stretches(once, found.rows)
    axis = found.layout.axis
    if axis < len(wanted) and wanted[axis] > 0:
        yield Edit("shape", tuple(wanted), found.layout, axis)
    yield Carry("Out", found.layout)


def _flatten(view: View) -> Iterator[Effect]:
    """To two axes, at attribute ``axis``."""
    x = view.port("X")
    if x is None or x.layout is None or x.shape is None:
        return
    axis = view.op.get_int("axis", 1)
    yield from _merged(x, x.layout, [(0, axis), (axis, len(x.shape))])


def _flatten_range(view: View) -> Iterator[Effect]:
    """Axes ``start_axis`` to ``stop_axis`` become one."""
    x = view.port("X")
    if x is None or x.layout is None or x.shape is None:
        return
    rank = len(x.shape)
    start = axis_of(view.op.get_int("start_axis", 1), rank) or 0
    stop = axis_of(view.op.get_int("stop_axis", -1), rank) or 0
    spans = [(i, i + 1) for i in range(start)] + [(start, stop + 1)]
    yield from _merged(x, x.layout, spans + [(i, i + 1) for i in range(stop + 1, rank)])


def _merged(x: Port, layout: Layout, spans: Sequence[tuple[int, int]]) -> Iterator[Effect]:
    """Each span of axes becomes one axis."""
    sizes = list(x.shape or ())
    sizes[layout.axis] = layout.extent
    for at, (low, high) in enumerate(spans):
        if not low <= layout.axis < high:
            continue
        before, behind = sizes[low : layout.axis], sizes[layout.axis + 1 : high]
        if any(s <= 0 for s in before + behind):
            yield Stop(layout, "it merges the channels with axes of unknown size")
            return
        inner, outer = layout.inner * prod(behind), layout.outer * prod(before)
        yield Carry("Out", Layout(at, layout.runs, inner, outer))


def _squeeze(view: View) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    rank = rank_of(x.shape)
    axes = {axis_of(a, rank) for a in view.op.get_ints("axes")}
    if not axes and x.shape is not None:
        axes = {i for i, s in enumerate(x.shape) if s == 1}
    if None in axes or x.layout.axis in axes or (not axes and x.shape is None):
        yield Stop(x.layout, "it removes the axis of the channels")
        return
    gone = sum(1 for a in axes if a is not None and a < x.layout.axis)
    yield Carry("Out", x.layout.at(x.layout.axis - gone))


def _unsqueeze(view: View) -> Iterator[Effect]:
    x = view.port("X")
    if x is None or x.layout is None:
        return
    given = view.op.get_ints("axes")
    if view.ports("AxesTensor") or view.ports("AxesTensorList") or x.shape is None:
        yield Stop(x.layout, "its axes are computed while the network runs")
        return
    axis = x.layout.axis
    # Axes are inserted one after the other, each seeing the ones before it.
    for count, a in enumerate(given):
        at = a if a >= 0 else a + len(x.shape) + count + 1
        axis += at <= axis
    yield Carry("Out", x.layout.at(axis))


FAMILY = Family(
    "reshape",
    table(
        (OpSpec(_reshape, moves_param=True), "reshape reshape2"),
        (OpSpec(_flatten, moves_param=True), "flatten flatten2"),
        (OpSpec(_flatten_range, moves_param=True), "flatten_contiguous_range"),
        (OpSpec(_squeeze, moves_param=True), "squeeze squeeze2"),
        (OpSpec(_unsqueeze, moves_param=True), "unsqueeze unsqueeze2"),
    ),
)
