"""PaddleSlim's walk from a filter to all that it cuts with it, in its order and with its memory.

An operator is reached once by each of its variables and axes; what stops the walk leaves the
filter whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graphprobe.emit.slim.steps import At, Changes, Fails, NotFollowed, Step
from graphprobe.emit.slim.table import PASSED_BY, UNCHANGED, WORKERS
from graphprobe.ir import Op, Program


class Cut(NamedTuple):
    """A variable that PaddleSlim cuts along an axis.

    Args:
        var: its name.
        axis: along which.
        changes: to the channels on the way.
        op: at which it was found.
        each: the size of its second axis.
    """

    var: str
    axis: int
    changes: Changes
    op: Op
    each: int


class SlimWalk:
    """The walks from several filters of one program; what one has visited, the next passes by."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._readers: dict[str, list[Op]] = defaultdict(list)
        self._writers: dict[str, list[Op]] = defaultdict(list)
        self._visited: set[tuple[int, int, str]] = set()
        self._new: list[tuple[int, int, str]] = []  # visited by the last walk
        self._read: set[str] = set()
        for op in program.ops:
            self._read.update(op.input_names())
            for names, where in (
                (op.input_names(), self._readers),
                (op.output_names(), self._writers),
            ):
                for name in dict.fromkeys(names) if op.role == "forward" else ():
                    where[name].append(op)

    def first_reader(self, var: str) -> Op | None:
        """The first op of the forward pass that reads a variable."""
        return next(iter(self._readers[var]), None)

    def writers(self, var: str) -> Sequence[Op]:
        """The ops of the forward pass that write a variable."""
        return self._writers[var]

    def cuts(self, param: str) -> list[Cut]:
        """All that is cut with the first axis of a filter.

        Raises:
            NotFollowed: PaddleSlim leaves the filter whole.
            Fails: it ends in an error.
        """
        first = self.first_reader(param)
        if first is None or first.type not in WORKERS or first.type in UNCHANGED:
            raise NotFollowed("" if first is None else first.type)
        self._new.clear()
        try:
            return list(self._walk(first, param))
        except (NotFollowed, Fails):
            self._visited.difference_update(self._new)
            raise

    def _visit(self, op: Op, axis: int, var: str) -> bool:
        """Note an op, with the axis and variable it is reached by; whether for the first time."""
        key = (op.id, axis, var)
        if key in self._visited:
            return False
        self._visited.add(key)
        self._new.append(key)
        return True

    def _walk(self, first: Op, param: str) -> Iterator[Cut]:
        start = At(self._program, first, param, 0, ())
        reached: list[tuple[Op | None, Iterator[At | Step]]] = [(None, iter((start,)))]
        while reached:
            op, steps = reached[-1]
            step = next(steps, None)
            if step is None:
                reached.pop()
            elif isinstance(step, At):
                if self._enters(step):
                    reached.append((step.op, WORKERS[step.op.type](step)))
            elif op is not None and step.cut:
                shape = self._program.shape(step.var, op.block) or ()
                each = shape[1] if len(shape) > 1 else 0
                yield Cut(step.var, step.axis, step.changes, op, each)
            elif op is not None:
                self._visit(op, step.axis, step.var)
                if step.var not in self._read:
                    raise NotFollowed("fetch")
                reached.append((None, self._around(step)))

    def _enters(self, at: At) -> bool:
        """Whether an operator is reached for the first time so."""
        if at.op.type not in WORKERS:
            if at.op.type in PASSED_BY:
                return False
            raise NotFollowed(at.op.type)
        if at.var not in self._read:
            raise NotFollowed("fetch")
        return self._visit(at.op, at.axis, at.var)

    def _around(self, step: Step) -> Iterator[At]:
        for op in (*self._writers[step.var], *self._readers[step.var]):
            yield At(self._program, op, step.var, step.axis, step.changes)


def positions(removed: Sequence[int], changes: Changes, *, grouped: bool) -> set[int]:
    """What becomes of the channels that go on their way to a variable.

    Args:
        removed: the channels of the filter.
        changes: on the way.
        grouped: whether they were chosen group by group.

    Raises:
        Fails: PaddleSlim has no rule for it.
    """
    found, listed = list(removed), grouped
    for change in changes:
        if change.kind == "squeeze":
            raise Fails("reshape2")
        if change.kind == "stride":
            if listed and change.times > 1:
                raise Fails("flatten_contiguous_range")
            continue  # it repeats the numbers of the channels, not their cells
        listed = True
        if change.kind == "none":
            found = []
        elif change.kind == "repeat":
            found = [i for at in found for i in range(at * change.times, (at + 1) * change.times)]
        else:
            starts = range(0, change.end, max(change.times, 1))
            found = [start + i for i in found if i < change.times for start in starts]
    return set(found)
