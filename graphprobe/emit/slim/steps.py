"""One step of PaddleSlim's Pruner: from an operator that it reaches to what it goes on to.

It goes by variables and axes, in both directions, and finds for each parameter along which axis it
is cut. What it does stands here with its errors, so that a warning names the filters on which it
ends in one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from graphprobe.ir import Op, Program


class Change(NamedTuple):
    """What PaddleSlim does to the numbers of channels on their way: its transforms by name."""

    kind: str
    times: int = 1
    end: int = 0


Changes: TypeAlias = tuple[Change, ...]


class Step(NamedTuple):
    """Go on from a variable along an axis, or cut it there."""

    var: str
    axis: int
    changes: Changes
    cut: bool = False


class NotFollowed(Exception):  # noqa: N818 - no error
    """PaddleSlim stops at an operator and leaves the filter whole; the text is its type."""


class Fails(Exception):
    """PaddleSlim ends in an error; the text is where."""


class At(NamedTuple):
    """An operator that PaddleSlim reaches by a variable along one of its axes."""

    program: Program
    op: Op
    var: str
    axis: int
    changes: Changes

    def read(self, slot: str) -> str:
        """The first variable of an input slot."""
        return self.op.input(slot) or ""

    def written(self, slot: str = "Out") -> str:
        """The first variable of an output slot."""
        return self.op.output(slot) or ""

    def shape(self, name: str) -> tuple[int, ...]:
        """The declared shape of a variable."""
        return self.program.shape(name, self.op.block) or ()

    def go(self, var: str, axis: int | None = None, *more: Change) -> Step:
        """On to a variable."""
        return Step(var, self.axis if axis is None else axis, self.changes + more)

    def cut(self, var: str, axis: int | None = None, *more: Change) -> Step:
        """Cut a variable."""
        return self.go(var, axis, *more)._replace(cut=True)

    def size(self, name: str, axis: int) -> int:
        """The declared size of an axis; -1 where there is none."""
        shape = self.shape(name)
        return shape[axis] if -len(shape) <= axis < len(shape) else -1

    def check(self, holds: bool) -> None:
        """Fail where PaddleSlim asserts something."""
        if not holds:
            raise Fails(self.op.type)


Worker: TypeAlias = Callable[[At], Iterator[Step]]
