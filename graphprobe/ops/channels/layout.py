"""Which channels lie where along one axis of a tensor.

A channel is named by the parameter that makes it: channel 5 of a convolution is position 5 on
axis 0 of its filter. A stretch of consecutive channels is a `ChannelRange`; an axis that carries
channels has a `ChannelLayout`: runs in order, each channel repeated `inner` times side by side,
and the whole repeated `outer` times. Flattening [N, C, H, W] to [N, C*H*W] gives ``inner = H*W``;
a depthwise convolution with two filters a channel gives ``inner = 2``.

Everything works on runs, so the cost does not grow with the number of channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeAlias

# Who makes the channels (a parameter's name) and on which of its axes.
Space: TypeAlias = tuple[str, int]

# Above this many positions, repeated channels are not written out one by one.
MAX_EXPLODED = 1 << 16


class ChannelRange(NamedTuple):
    """Channels ``start .. start + length - 1`` of one space."""

    space: Space
    start: int
    length: int


ChannelRanges: TypeAlias = tuple[ChannelRange, ...]


@dataclass(frozen=True)
class ChannelLayout:
    """The channels along one axis of a tensor.

    Args:
        axis: the axis, from 0.
        runs: the channels in order.
        inner: how many neighbours each channel takes.
        outer: how often the whole is repeated.
    """

    axis: int
    runs: ChannelRanges
    inner: int = 1
    outer: int = 1

    @cached_property
    def size(self) -> int:
        """How many channels, repetitions not counted."""
        return sum(run.length for run in self.runs)

    @property
    def extent(self) -> int:
        """The size of the axis."""
        return self.outer * self.size * self.inner

    def at(self, axis: int) -> ChannelLayout:
        """The same channels along another axis."""
        return self if axis == self.axis else ChannelLayout(axis, self.runs, self.inner, self.outer)

    def spread(self, times: int) -> ChannelLayout:
        """Each channel repeated side by side."""
        return (
            self
            if times == 1
            else ChannelLayout(self.axis, self.runs, self.inner * times, self.outer)
        )


def own(space: Space, length: int, axis: int) -> ChannelLayout:
    """The channels that a parameter makes."""
    return ChannelLayout(axis, (ChannelRange(space, 0, length),))


def cut_runs(runs: ChannelRanges, start: int, stop: int) -> ChannelRanges:
    """The channels from `start` to `stop` of a sequence of runs."""
    found = []
    at = 0
    for space, first, length in runs:
        low, high = max(start, at), min(stop, at + length)
        if low < high:
            found.append(ChannelRange(space, first + low - at, high - low))
        at += length
    return tuple(found)


def join_runs(parts: Iterable[ChannelRange]) -> ChannelRanges:
    """Runs one after the other, neighbours of one space merged."""
    joined: list[ChannelRange] = []
    for run in parts:
        last = joined[-1] if joined else None
        if last and last.space == run.space and last.start + last.length == run.start:
            joined[-1] = ChannelRange(last.space, last.start, last.length + run.length)
        else:
            joined.append(run)
    return tuple(joined)


def written_out(layout: ChannelLayout) -> ChannelLayout | None:
    """The same axis without repetitions, or None where it is too long for that."""
    if layout.inner == layout.outer == 1:
        return layout
    if layout.extent > MAX_EXPLODED:
        return None
    once = layout.runs
    if layout.inner > 1:
        single = (ChannelRange(s, first + i, 1) for s, first, n in once for i in range(n))
        once = tuple(run for run in single for _ in range(layout.inner))
    return ChannelLayout(layout.axis, join_runs(once * layout.outer))


def stretch(layout: ChannelLayout, start: int, stop: int) -> ChannelLayout | None:
    """Positions `start` to `stop` of an axis, or None where that is not known."""
    if (start, stop) == (0, layout.extent):
        return layout
    if layout.outer == 1 and start % layout.inner == 0 and stop % layout.inner == 0:
        inner = layout.inner
        return replace(layout, runs=cut_runs(layout.runs, start // inner, stop // inner))
    flat = written_out(layout)
    return None if flat is None else replace(flat, runs=cut_runs(flat.runs, start, stop))


def chain(axis: int, parts: Iterable[ChannelLayout]) -> ChannelLayout | None:
    """Layouts one after the other along an axis, or None where they are too long."""
    layouts = list(parts)
    if (
        layouts
        and len({part.inner for part in layouts}) == 1
        and all(p.outer == 1 for p in layouts)
    ):
        runs = join_runs(run for part in layouts for run in part.runs)
        return ChannelLayout(axis, runs, layouts[0].inner)
    flat = [written_out(part) for part in layouts]
    if any(part is None for part in flat):
        return None
    return ChannelLayout(axis, join_runs(run for part in flat if part for run in part.runs))


def aligned(
    a: ChannelLayout, b: ChannelLayout
) -> Iterator[tuple[ChannelRange, ChannelRange]] | None:
    """The channels of two axes that lie at the same positions, run by run.

    Returns:
        Pairs of runs of one length, or None where the axes differ in size or are too long to
        compare.
    """
    if a.extent != b.extent:
        return None
    if (a.inner, a.outer) == (b.inner, b.outer):
        return _zip(a.runs, b.runs)
    flat_a, flat_b = written_out(a), written_out(b)
    if flat_a is None or flat_b is None:
        return None
    return _zip(flat_a.runs, flat_b.runs)


def _zip(a: ChannelRanges, b: ChannelRanges) -> Iterator[tuple[ChannelRange, ChannelRange]]:
    i = j = taken_a = taken_b = 0
    while i < len(a) and j < len(b):
        n = min(a[i].length - taken_a, b[j].length - taken_b)
        yield (
            ChannelRange(a[i].space, a[i].start + taken_a, n),
            ChannelRange(b[j].space, b[j].start + taken_b, n),
        )
        taken_a, taken_b = taken_a + n, taken_b + n
        if taken_a == a[i].length:
            i, taken_a = i + 1, 0
        if taken_b == b[j].length:
            j, taken_b = j + 1, 0
