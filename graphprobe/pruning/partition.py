"""Which channels are pruned together: a union over ranges of channels.

Ranges are parted at every point where some other range begins or ends, also where that comes
in through a chain of ties; then equal ranges are united. The cost grows with the number of
ranges that come out, not with the number of channels.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from graphprobe.ops.channels.layout import ChannelLayout, ChannelRange, Space


@dataclass(frozen=True, slots=True)
class ClassRange:
    """A range of one space that is pruned or kept with its class.

    Args:
        run: the channels.
        index: its class; channel i of one member goes with channel i of every other.
    """

    run: ChannelRange
    index: int


# (start, stop, the other space, what is added to come there)
_Tie: TypeAlias = tuple[int, int, int, int]


class _Across:
    """The ties of one space that reach across a point, in steps of their number and a logarithm.

    An interval tree over the ties sorted by their starts: `_last` holds, for the middle of each
    half, how far any tie in that half reaches.
    """

    def __init__(self, ties: Iterable[_Tie]) -> None:
        # What is one channel wide has nothing inside.
        self._ties = sorted({tie for tie in ties if tie[1] - tie[0] > 1})
        self._last = [0] * len(self._ties)
        self.steps = 0
        for low, high in reversed(list(self._halves())):
            middle = (low + high) // 2
            stops = [self._ties[middle][1]]
            stops += [
                self._last[(a + b) // 2] for a, b in ((low, middle), (middle + 1, high)) if a < b
            ]
            self._last[middle] = max(stops)

    def _halves(self) -> Iterator[tuple[int, int]]:
        """Every range of the tree, before its halves."""
        stack = [(0, len(self._ties))] if self._ties else []
        while stack:
            low, high = stack.pop()
            yield low, high
            middle = (low + high) // 2
            stack += [(a, b) for a, b in ((low, middle), (middle + 1, high)) if a < b]

    def at(self, point: int) -> Iterator[_Tie]:
        """The ties that begin before a point and end behind it."""
        stack = [(0, len(self._ties))]
        while stack:
            low, high = stack.pop()
            middle = (low + high) // 2
            self.steps += 1
            if low >= high or self._last[middle] <= point:
                continue
            stack.append((low, middle))
            if self._ties[middle][0] < point:
                if point < self._ties[middle][1]:
                    yield self._ties[middle]
                stack.append((middle + 1, high))


class ChannelPartition:
    """The classes of channels that go together, channel by channel."""

    def __init__(
        self, ties: Iterable[tuple[ChannelRange, ChannelRange]], marks: Iterable[ChannelRange]
    ) -> None:
        """Build the classes.

        Args:
            ties: ranges of equal length that are pruned alike.
            marks: every other range whose ends matter.
        """
        self._number: dict[Space, int] = {}
        self._ends: list[set[int]] = []
        self._links: list[list[_Tie]] = []
        self.steps = 0
        self._queue: list[tuple[int, int]] = []
        for a, b in ties:
            self._link(a, b)
        for run in dict.fromkeys(marks):
            self._mark(run)
        self._spread()
        self._points = [sorted(ends) for ends in self._ends]
        self._first = [0]
        for points in self._points:
            self._first.append(self._first[-1] + len(points))
        self._parent = list(range(self._first[-1]))
        self._known: dict[ChannelRange, tuple[ClassRange, ...]] = {}
        self._unite()

    def parts(self, run: ChannelRange) -> tuple[ClassRange, ...]:
        """The parts of a range, in order, each with its class.

        Behind a chain of concats, a range stands in the layout of every layer that follows: it is
        parted once.
        """
        found = self._known.get(run)
        if found is None:
            found = self._known[run] = tuple(self._part(run))
        return found

    def classes(self, layout: ChannelLayout) -> Iterator[int]:
        """The class of each part of a layout, in order."""
        for run in layout.runs:
            for part in self.parts(run):
                yield part.index

    def times(self, layout: ChannelLayout) -> Counter[int]:
        """How many positions along an axis one channel of each class takes."""
        found: Counter[int] = Counter()
        for index in self.classes(layout):
            found[index] += layout.inner * layout.outer
        return found

    def _part(self, run: ChannelRange) -> Iterator[ClassRange]:
        space = self._number.get(run.space)
        if space is None:
            return  # an operand that is nowhere declared: nothing lies along it
        points = self._points[space]
        i = bisect_left(points, run.start)
        while points[i] < run.start + run.length:
            part = ChannelRange(run.space, points[i], points[i + 1] - points[i])
            yield ClassRange(part, self._find(self._first[space] + i))
            i += 1

    def _mark(self, run: ChannelRange) -> int:
        space = self._number.get(run.space)
        if space is None:
            space = self._number[run.space] = len(self._ends)
            self._ends.append(set())
            self._links.append([])
        for point in (run.start, run.start + run.length):
            self._end(space, point)
        return space

    def _end(self, space: int, point: int) -> None:
        if point not in self._ends[space]:
            self._ends[space].add(point)
            self._queue.append((space, point))

    def _link(self, a: ChannelRange, b: ChannelRange) -> None:
        x, y = self._mark(a), self._mark(b)
        shift = b.start - a.start
        self._links[x].append((a.start, a.start + a.length, y, shift))
        self._links[y].append((b.start, b.start + b.length, x, -shift))

    def _spread(self) -> None:
        """Carry every end over every tie that it falls into."""
        across = [_Across(links) for links in self._links]
        while self._queue:
            space, point = self._queue.pop()
            for _, _, other, shift in across[space].at(point):
                self._end(other, point + shift)
        self.steps = sum(each.steps for each in across)

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
