"""Where the channels are after a reshape.

A reshape keeps the order of the numbers (row-major), so sizes can be matched from the left or
from the right: dims that are equal, or stretches of dims with equal products. The stretch that
holds the channels' axis decides where they go: to an axis of their own, merged with others (each
channel then repeats), or split in several factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from graphprobe.ops.channels.layout import ChannelLayout, cut_runs


class Regrouped(NamedTuple):
    """The channels after a reshape.

    Args:
        layout: where they are.
        rows: how many equal rows the channels were split into; the same offset of each row
            must be pruned alike, and `layout` holds the first row. 1: they were not split.
    """

    layout: ChannelLayout
    rows: int = 1


def regroup(layout: ChannelLayout, before: Sequence[int], after: Sequence[int]) -> Regrouped | None:
    """Follow channels through a reshape.

    Args:
        layout: the channels before it.
        before: sizes, -1 where unknown.
        after: sizes, -1 where unknown.

    Returns:
        None where the sizes leave it open, or the channels fall apart unevenly.
    """
    sizes = list(before)
    found = _axes_of(layout, sizes, after)
    if found is None:
        return None
    low, high, to_low, to_high = found
    pre, post = prod(sizes[low : layout.axis]), prod(sizes[layout.axis + 1 : high])
    return _place(layout, pre, post, after[to_low:to_high], to_low)


class Factored(NamedTuple):
    """Channels that a reshape writes as several axes.

    Args:
        axis: the first of the axes after it.
        factors: their sizes; the product is the number of channels.
    """

    axis: int
    factors: tuple[int, ...]


def factor(layout: ChannelLayout, before: Sequence[int], after: Sequence[int]) -> Factored | None:
    """The axes that channels are split into, or None where they are not split into whole axes."""
    if layout.inner != 1 or layout.outer != 1:
        return None
    found = _axes_of(layout, list(before), after)
    if found is None:
        return None
    low, high, to_low, to_high = found
    if high - low != 1 or to_high - to_low < 2:
        return None
    return Factored(to_low, tuple(after[to_low:to_high]))


def _axes_of(
    layout: ChannelLayout, sizes: list[int], after: Sequence[int]
) -> tuple[int, int, int, int] | None:
    """The axes that hold the channels, before and after; writes their number into `sizes`."""
    if layout.axis >= len(sizes):
        return None
    sizes[layout.axis] = layout.extent
    to = list(after)
    return _from_left(sizes, to, layout.axis) or _from_right(sizes, to, layout.axis)


def _from_left(b: list[int], a: list[int], axis: int) -> tuple[int, int, int, int] | None:
    """The stretch of both that holds `axis`: (from, to) before and (from, to) after."""
    i = j = 0
    while i < len(b) and j < len(a):
        step = _stretch(b, a, i, j)
        if step is None:
            return None
        di, dj = step
        if i <= axis < i + di:
            return (i, i + di, j, j + dj) if _rest_agrees(b[i + di :], a[j + dj :]) else None
        i, j = i + di, j + dj
    return None


def _from_right(b: list[int], a: list[int], axis: int) -> tuple[int, int, int, int] | None:
    n, m = len(b), len(a)
    found = _from_left(b[::-1], a[::-1], n - 1 - axis)
    if found is None:
        return None
    low, high, to_low, to_high = found
    return n - high, n - low, m - to_high, m - to_low


def _stretch(b: list[int], a: list[int], i: int, j: int) -> tuple[int, int] | None:
    """How many dims from i and from j on have one product."""
    if b[i] == a[j]:
        return 1, 1
    di = dj = 1
    x, y = b[i], a[j]
    while x != y:
        if x <= 0 or y <= 0:
            return None
        if x < y:
            if i + di >= len(b):
                return None
            x, di = x * b[i + di], di + 1
        else:
            if j + dj >= len(a):
                return None
            y, dj = y * a[j + dj], dj + 1
    return di, dj


def _rest_agrees(b: list[int], a: list[int]) -> bool:
    known = all(s > 0 for s in b) and all(s > 0 for s in a)
    return not known or prod(b) == prod(a)


def _place(
    layout: ChannelLayout, pre: int, post: int, sizes: Sequence[int], first: int
) -> Regrouped | None:
    """Find the axis among `sizes` on which the channels' fastest factor lies."""
    inner, size, outer = layout.inner * post, layout.size, layout.outer * pre
    for at in range(len(sizes) - 1, -1, -1):
        d = sizes[at]
        if inner % d == 0 and (d == 1 or inner > 1):
            inner //= d
        else:
            return _split(layout, first + at, d, inner, size, outer, prod(sizes[:at]))
    # One channel on an axis of its own.
    return Regrouped(ChannelLayout(first, layout.runs)) if list(sizes) == [1] == [size] else None


def _split(
    layout: ChannelLayout, axis: int, d: int, inner: int, size: int, outer: int, left: int
) -> Regrouped | None:
    per_row, uneven = divmod(d, inner)
    if uneven:
        return None
    if per_row % size == 0:
        if left * (per_row // size) != outer:
            return None
        return Regrouped(ChannelLayout(axis, layout.runs, inner, per_row // size))
    if size % per_row or left != outer * (size // per_row):
        return None
    return Regrouped(ChannelLayout(axis, cut_runs(layout.runs, 0, per_row), inner), size // per_row)
