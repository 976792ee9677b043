"""Which channels are cut together: a union over stretches of channels.

Stretches are cut at every point where some other stretch begins or ends, also where that comes
in through a chain of ties; then equal stretches are united. The cost grows with the number of
stretches that come out, not with the number of channels.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphprobe.ops.channel_layout import ChannelRange, Space


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one space that is cut or kept with its class.

    Args:
        run: the channels.
        cls: its class; channel i of one member goes with channel i of every other.
    """

    run: ChannelRange
    cls: int


class Classes:
    """The classes of channels that go together, channel by channel."""

    def __init__(
        self, ties: Iterable[tuple[ChannelRange, ChannelRange]], marks: Iterable[ChannelRange]
    ) -> None:
        """Build the classes.

        Args:
            ties: runs of equal length that are cut alike.
            marks: every other run whose ends matter.
        """
        self._number: dict[Space, int] = {}
        self._cuts: list[set[int]] = []
        self._links: list[list[tuple[int, int, int, int]]] = []
        self._queue: list[tuple[int, int]] = []
        for a, b in ties:
            self._link(a, b)
        for run in dict.fromkeys(marks):
            self._mark(run)
        self._spread()
        self._points = [sorted(cuts) for cuts in self._cuts]
        self._first = [0]
        for points in self._points:
            self._first.append(self._first[-1] + len(points))
        self._parent = list(range(self._first[-1]))
        self._pieces: dict[ChannelRange, tuple[Piece, ...]] = {}
        self._unite()

    def pieces(self, run: ChannelRange) -> tuple[Piece, ...]:
        """The parts of a run, in order, each with its class.

        Behind a chain of concats, a run stands in the layout of every layer that follows: it is
        parted once.
        """
        found = self._pieces.get(run)
        if found is None:
            found = self._pieces[run] = tuple(self._part(run))
        return found

    def _part(self, run: ChannelRange) -> Iterator[Piece]:
        space = self._number[run.space]
        points = self._points[space]
        i = bisect_left(points, run.start)
        while points[i] < run.start + run.length:
            part = ChannelRange(run.space, points[i], points[i + 1] - points[i])
            yield Piece(part, self._find(self._first[space] + i))
            i += 1

    def _mark(self, run: ChannelRange) -> int:
        space = self._number.get(run.space)
        if space is None:
            space = self._number[run.space] = len(self._cuts)
            self._cuts.append(set())
            self._links.append([])
        for point in (run.start, run.start + run.length):
            self._cut(space, point)
        return space

    def _cut(self, space: int, point: int) -> None:
        if point not in self._cuts[space]:
            self._cuts[space].add(point)
            self._queue.append((space, point))

    def _link(self, a: ChannelRange, b: ChannelRange) -> None:
        x, y = self._mark(a), self._mark(b)
        shift = b.start - a.start
        self._links[x].append((a.start, a.start + a.length, y, shift))
        self._links[y].append((b.start, b.start + b.length, x, -shift))

    def _spread(self) -> None:
        """Carry every cut over every tie that it falls into."""
        while self._queue:
            space, point = self._queue.pop()
            for start, stop, other, shift in self._links[space]:
                if start < point < stop:
                    self._cut(other, point + shift)

    def _unite(self) -> None:
        for space, links in enumerate(self._links):
            for start, stop, other, shift in links:
                if other < space:
                    continue
                i = bisect_left(self._points[space], start)
                j = bisect_left(self._points[other], start + shift)
                while self._points[space][i] < stop:
                    self._join(self._first[space] + i, self._first[other] + j)
                    i, j = i + 1, j + 1

    def _find(self, at: int) -> int:
        parent = self._parent
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    def _join(self, a: int, b: int) -> None:
        a, b = self._find(a), self._find(b)
        if a != b:
            self._parent[max(a, b)] = min(a, b)
