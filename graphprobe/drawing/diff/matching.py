"""A growing one-to-one relation of the items of two graphs, and the passes that make it grow."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol

from graphprobe.drawing.diff.common_run import common_pairs

_ROUNDS = 3
_TRIES = 8


class Neighbours(Protocol):
    """What matching needs of a graph: neighbours and names of its items."""

    pred: list[list[int]]
    succ: list[list[int]]
    names: list[str]


class Matching:
    """Grows a one-to-one relation of the items of two graphs."""

    def __init__(self, before: Neighbours, after: Neighbours) -> None:
        self._ends = before, after
        self.after_of: list[int | None] = [None] * len(before.names)
        self._before_of: list[int | None] = [None] * len(after.names)

    @property
    def is_open(self) -> bool:
        """Whether either side has items left."""
        return None in self.after_of and None in self._before_of

    def match_groups(
        self, keys: Sequence[Sequence[Hashable]], *, named: bool, backwards: bool = False
    ) -> None:
        """Match items with equal keys: those of one name, or groups of one size.

        Args:
            keys: of the items of either side.
            named: match only what has one name too.
            backwards: begin with the last items; equals are distinguished by what follows them
                rather than by what leads to them.
        """
        left: dict[Hashable, list[int]] = {}
        right: dict[Hashable, list[int]] = {}
        for found, key, done in (
            (left, keys[0], self.after_of),
            (right, keys[1], self._before_of),
        ):
            for at, taken in enumerate(done):
                if taken is None:
                    found.setdefault(key[at], []).append(at)
        groups = [(mine, right[key]) for key, mine in left.items() if key in right]
        for mine, theirs in reversed(groups) if backwards else groups:
            if named:
                self._match_named(mine, theirs)
            elif len(mine) == len(theirs):
                self._match_all(mine, theirs, backwards=backwards)

    def match_unique(self, keys: Sequence[Sequence[Hashable]]) -> None:
        """Match items whose key none else has on either side, matched items included."""
        counts = [Counter(found) for found in keys]
        there = {key: b for b, key in enumerate(keys[1]) if counts[1][key] == 1}
        for a, key in enumerate(keys[0]):
            other = there.get(key)
            if other is None or counts[0][key] > 1 or self.after_of[a] is not None:
                continue
            if self._before_of[other] is None:
                self._match(a, other)

    def spread(self, labels: Sequence[Sequence[Hashable]]) -> None:
        """Match neighbours of matched items where those of one label are equally many."""
        for _ in range(_ROUNDS):
            queue = [(a, b) for a, b in enumerate(self.after_of) if b is not None]
            known = len(queue)
            for a, b in queue:  # the queue grows
                queue += self._match_near(self._ends[0].succ[a], self._ends[1].succ[b], labels)
                queue += self._match_near(self._ends[0].pred[a], self._ends[1].pred[b], labels)
            if len(queue) == known:
                return

    def untangle(self, labels: Sequence[Sequence[Hashable]]) -> None:
        """Exchange the partners of equal items where that lets both read from the same as before.

        Symmetric branches can be matched crosswise, one op at a time.
        """
        readers: dict[tuple[Hashable, tuple[int, ...]], list[int]] = {}
        for at, near in enumerate(self._ends[1].pred):
            readers.setdefault((labels[1][at], tuple(near)), []).append(at)
        for a, b in enumerate(self.after_of):
            images = [self.after_of[u] for u in self._ends[0].pred[a]]
            if b is None or not images or None in images:
                continue
            wanted = tuple(sorted(v for v in images if v is not None))
            if wanted == tuple(self._ends[1].pred[b]):
                continue
            for other in readers.get((labels[0][a], wanted), [])[:_TRIES]:
                rival = self._before_of[other]
                if rival is None:
                    self._before_of[b] = None
                    self._match(a, other)
                    break
                if labels[0][rival] == labels[0][a] and rival > a:
                    self._match(rival, b)
                    self._match(a, other)
                    break

    def match_sequences(
        self, labels: Sequence[Sequence[Hashable]], orders: Sequence[Sequence[int]]
    ) -> None:
        """Match what is left between matched items by the longest common subsequence."""
        for mine, theirs in self._gaps(*orders):
            words = [labels[0][a] for a in mine], [labels[1][b] for b in theirs]
            for i, j in common_pairs(*words):
                self._match(mine[i], theirs[j])

    def _match(self, a: int, b: int) -> None:
        self.after_of[a], self._before_of[b] = b, a

    def _match_named(self, mine: Sequence[int], theirs: Sequence[int]) -> None:
        named = {self._ends[1].names[b]: b for b in theirs if self._before_of[b] is None}
        for a in mine:
            found = named.pop(self._ends[0].names[a], None)
            if found is not None:
                self._match(a, found)

    def _match_all(
        self, mine: Sequence[int], theirs: Sequence[int], *, backwards: bool = False
    ) -> None:
        """Match two groups of one size: by matched neighbours, by name, what is left in order."""
        if len(mine) > 1:
            if not backwards and not self._ends[0].pred[mine[0]]:
                return  # what reads constants distinguishes them
            self._match_by_neighbours(mine, theirs, backwards=backwards)
            self._match_named([a for a in mine if self.after_of[a] is None], theirs)
        rest = [a for a in mine if self.after_of[a] is None]
        for a, b in zip(rest, [b for b in theirs if self._before_of[b] is None], strict=True):
            self._match(a, b)

    def _match_by_neighbours(
        self, mine: Sequence[int], theirs: Sequence[int], *, backwards: bool
    ) -> None:
        ours, others = ((end.succ if backwards else end.pred) for end in self._ends)
        known: dict[tuple[int, ...], list[int]] = {}
        for b in theirs:
            known.setdefault(tuple(others[b]), []).append(b)
        for a in mine:
            images = [self.after_of[u] for u in ours[a]]
            if images and None not in images:
                found = known.get(tuple(sorted(v for v in images if v is not None)))
                if found is not None and len(found) == 1 and self._before_of[found[0]] is None:
                    self._match(a, found[0])

    def _match_near(
        self, mine: Sequence[int], theirs: Sequence[int], labels: Sequence[Sequence[Hashable]]
    ) -> list[tuple[int, int]]:
        left = [a for a in mine if self.after_of[a] is None]
        right = [b for b in theirs if self._before_of[b] is None]
        if not left or not right:
            return []
        groups: dict[Hashable, tuple[list[int], list[int]]] = {}
        for side, found in enumerate((left, right)):
            for at in found:
                label = labels[side][at]
                if label is not None:
                    groups.setdefault(label, ([], []))[side].append(at)
        for ours, others in groups.values():
            if len(ours) == len(others):
                self._match_all(ours, others)
        return [(a, b) for a in left if (b := self.after_of[a]) is not None]

    def _gaps(
        self, before: Sequence[int], after: Sequence[int]
    ) -> Iterator[tuple[list[int], list[int]]]:
        """What is left on either side between matched pairs that stand in one order."""
        place = {b: at for at, b in enumerate(after)}
        images = [self.after_of[a] for a in before]
        pairs = [(at, place[b]) for at, b in enumerate(images) if b is not None]
        last = -1, -1
        for end in [*_rising(pairs), (len(before), len(after))]:
            mine = [a for a in before[last[0] + 1 : end[0]] if self.after_of[a] is None]
            theirs = [b for b in after[last[1] + 1 : end[1]] if self._before_of[b] is None]
            if mine and theirs:
                yield mine, theirs
            last = end


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of pairs (ascending in the first) that is ascending in the second too."""
    ends: list[int] = []  # the smallest last value of a rising part of each length
    at_end: list[int] = []
    before: list[int] = []
    for at, (_, value) in enumerate(pairs):
        length = bisect_left(ends, value)
        before.append(at_end[length - 1] if length else -1)
        if length == len(ends):
            ends.append(value)
            at_end.append(at)
        else:
            ends[length], at_end[length] = value, at
    found = []
    at = at_end[-1] if at_end else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]
