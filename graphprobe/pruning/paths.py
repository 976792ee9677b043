"""The way from a convolution to what stops it, as names of variables."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from graphprobe.ops.channels.layout import ChannelLayout
from graphprobe.ops.kinds import kind_of
from graphprobe.pruning.channels import Channels
from graphprobe.pruning.partition import ChannelPartition

# For each value reached: the value one step nearer to the goal (None at the goal), the last value
# of the way, and the op of the goal.
_Tree = dict[int, tuple[int | None, int, int]]
# The class, the first of the goals, and their number.
_Key = tuple[int, int, int]

# Longer ways leave out what lies between their beginning and their end, shown as "...". Without
# a limit, a chain of n layers would have ways of n * n / 2 names in all.
MOST = 100
# Many classes that go a long way together cost the square of it. Ways beyond so many steps are
# left out but for their ends.
_SOME_STEPS = 300_000
_STEPS_AN_OP = 50
# Who asks for a class first looks so many values around before all ways to its goals are found.
_NEAR = 20


class Paths:
    """Shortest ways along one class of channels; a class is searched once for each goal.

    `steps` counts the values that were looked at; it stays below a bound that grows with the
    program.
    """

    def __init__(self, channels: Channels, partition: ChannelPartition) -> None:
        self._channels = channels
        self._partition = partition
        self._of_layout: dict[int, frozenset[int]] = {}
        self._trees: dict[_Key, _Tree] = {}
        self._asked: set[_Key] = set()
        self.steps = 0
        self._most_steps = _SOME_STEPS + _STEPS_AN_OP * len(channels.program.ops)

    def to_block(self, op: int, index: int, goals: Collection[int]) -> tuple[tuple[str, ...], int]:
        """From a convolution's output to the nearest of the ops that stop a class.

        Returns:
            The variables on the way, the last being what the op makes of it (where it makes
            anything), and the op.
        """
        start = self._output(op)
        if start is None:
            return (), next(iter(goals))
        tree = self._tree(index, goals, start)
        if start in tree:
            names, at = self._follow(tree, start), tree[start][2]
        else:
            names, at = [self._channels.flow.values[start].name, "..."], next(iter(goals))
        made = next(iter(self._channels.program.ops[at].output_names()), None)
        if at != op and made is not None and self._goes_on(at):
            names.append(made)
        return tuple(names), at

    def to_joint(self, op: int, index: int, joint: int) -> tuple[str, ...]:
        """From a layer's output to what an op reads of a class; its output where that is the op."""
        start = self._output(op)
        if joint == op or start is None:
            return () if start is None else (self._channels.flow.values[start].name,)
        tree = self._tree(index, (joint,), start)
        return tuple(self._follow(tree, start)) if start in tree else ()

    def between(self, op: int, leader: int, index: int) -> tuple[str, ...]:
        """From one convolution's output to another's, along a class."""
        start = self._output(op)
        if start is None:
            return ()
        tree = self._tree(index, (leader,), start)
        return tuple(self._follow(tree, start)) if start in tree else ()

    def _goes_on(self, op: int) -> bool:
        return kind_of(self._channels.program.ops[op].type) != "output"

    def _output(self, op: int) -> int | None:
        for value in self._channels.flow.writes(self._channels.program.ops[op]):
            if self._channels.carried(value.id):
                return value.id
        return None

    def _follow(self, tree: _Tree, start: int) -> list[str]:
        names: list[str] = []
        at: int | None = start
        while at is not None and len(names) < MOST:
            name = self._channels.flow.values[at].name
            # An op in place writes the name that it reads.
            if not names or names[-1] != name:
                names.append(name)
            at = tree[at][0]
        if at is not None:
            names += ["...", self._channels.flow.values[tree[at][1]].name]
        return names

    def _tree(self, index: int, goals: Collection[int], start: int) -> _Tree:
        """The ways to some goals: to those of a class's obstacle, or to its leader.

        Most classes are asked for once, and near to a goal: there only the ways from around
        `start` are found. A class that is asked for again is searched whole.
        """
        key = (index, next(iter(goals)), len(goals))
        tree = self._trees.get(key)
        if tree is None and key not in self._asked:
            self._asked.add(key)
            tree = self._around(index, goals, start)
            if tree is not None:
                return tree
        if tree is None:
            tree = self._trees[key] = self._search(index, goals)
        return tree

    def _around(self, index: int, goals: Collection[int], start: int) -> _Tree | None:
        """The ways from around a value to the goals that are nearest to it.

        What lies on a shortest way is no farther from `start` than the goal is, so these are the
        ways of the whole search. None where no goal is near.
        """
        near, level = {start}, [start]
        begins: dict[int, set[int]] = {}
        while level and len(near) < _NEAR:
            found = set[int]()
            for value in level:
                for goal in self._ops_at(value):
                    if goal in goals and goal not in begins:
                        begins[goal] = set(self._starts(index, goal))
                    if goal in goals and value in begins[goal]:
                        found.add(goal)
            if found:
                return self._search(index, [goal for goal in goals if goal in found], near)
            before, level = level, []
            for at in before:
                for other in self._neighbours(at, index):
                    if other not in near:
                        near.add(other)
                        level.append(other)
        return None

    def _ops_at(self, value: int) -> list[int]:
        """The op that writes a value and those that read it."""
        at = self._channels.flow.values[value]
        return at.consumers if at.producer is None else [at.producer, *at.consumers]

    def _search(
        self, index: int, goals: Collection[int], within: Collection[int] | None = None
    ) -> _Tree:
        tree: _Tree = {}
        queue: deque[int] = deque()
        for goal in goals:
            for value in self._starts(index, goal):
                if value not in tree and (within is None or value in within):
                    tree[value] = (None, value, goal)
                    queue.append(value)
        while queue and self.steps < self._most_steps:
            at = queue.popleft()
            for other in self._neighbours(at, index):
                if other not in tree and (within is None or other in within):
                    tree[other] = (at, *tree[at][1:])
                    queue.append(other)
        return tree

    def _starts(self, index: int, goal: int) -> list[int]:
        """What the op reads of the class; what it writes where it reads nothing of it."""
        flow, op = self._channels.flow, self._channels.program.ops[goal]
        reads = [v.id for v in flow.reads(op) if self._holds(v.id, index)]
        found = reads or [v.id for v in flow.writes(op) if self._holds(v.id, index)]
        self.steps += len(found)
        return found

    def _neighbours(self, value: int, index: int) -> Iterator[int]:
        flow, layouts, known = self._channels.flow, self._channels.layouts, self._of_layout
        for op in self._ops_at(value):
            if op in self._channels.links:
                for ids in (*flow.inputs[op].values(), *flow.outputs[op].values()):
                    self.steps += len(ids)
                    for i in ids:
                        # As `_holds` has it: most of the time of wide programs goes by here.
                        layout = layouts[i]
                        if layout is not None and index in (
                            known.get(id(layout)) or self._set(layout)
                        ):
                            yield i

    def _holds(self, value: int, index: int) -> bool:
        return any(index in self._set(layout) for layout in self._channels.carried(value))

    def _set(self, layout: ChannelLayout) -> frozenset[int]:
        found = self._of_layout.get(id(layout))
        if found is None:
            found = frozenset(self._partition.classes(layout))
            self._of_layout[id(layout)] = found
        return found
