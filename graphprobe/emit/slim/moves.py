"""What PaddleSlim does at ops that move numbers: reshapes, transposes, splits."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from graphprobe.emit.slim.steps import At, Change, NotFollowed, Step


def reshape(at: At) -> Iterator[Step]:
    """A reshape: only how many axes more or less it makes is known."""
    x, out = at.read("X"), at.written()
    before, after = at.shape(x), at.shape(out)
    given = at.op.get_ints("shape")
    changed = next((i for i, size in enumerate(given) if size), len(given))
    at.check(0 not in given[changed:])
    there, target = (before, after) if at.var == x else (after, before)
    change = Change("none")
    if len(target) > len(there):
        change = Change("squeeze")
        at.check(at.axis + 1 < len(target))
    elif len(target) < len(there) and at.var == x:
        at.check(at.axis + 1 < len(there))
        change = Change("repeat", there[at.axis + 1])
    elif (
        at.var == out and (len(before), len(after)) == (1, 4) and at.size(out, at.axis) == before[0]
    ):
        yield at.cut(x, 0)
    yield at.go(out if at.var == x else x, None, change)


def transpose(at: At) -> Iterator[Step]:
    """An order of axes."""
    order = at.op.get_ints("axis")
    at.check(at.axis < len(order))
    yield at.go(at.written() if at.var == at.read("X") else at.read("X"), order[at.axis])


def split(at: At) -> Iterator[Step]:
    """Parts of a tensor."""
    x, outs = at.read("X"), at.op.outputs.get("Out", ())
    along = at.axis == at.op.get_int("axis")
    if at.var == x:
        if along:
            raise NotFollowed(at.op.type)
        yield from (at.go(name) for name in outs)
        return
    spread = Change("spread", at.size(at.var, at.axis), at.size(x, at.axis))
    yield at.go(x, None, spread) if along else at.go(x)
    yield from (at.go(name) for name in outs if name != at.var)


def flatten(at: At) -> Iterator[Step]:
    """Neighbouring axes as one."""
    x, out = at.read("X"), at.written()
    shape = at.shape(x)
    start, stop = at.op.get_int("start_axis", 1), at.op.get_int("stop_axis", 1)
    if at.var == out:
        largest = max(range(1, len(shape)), key=lambda i: shape[i], default=-1)
        at.check(at.axis == start == largest)
        yield at.go(x)
    if at.var == x:
        inside = start <= at.axis <= stop
        sizes = (at.size(x, i) for i in range(start, stop + 1) if i != at.axis)
        stride = prod(sizes) if inside else 1
        axis = start if inside else at.axis
        axis = start + at.axis - stop if at.axis > stop else axis
        yield at.go(out, axis, Change("stride", stride))


def squeeze(at: At) -> Iterator[Step]:
    """Axes of size 1 less."""
    x, out = at.read("X"), at.written()
    axes = at.op.get_ints("axes") or tuple(i for i, n in enumerate(at.shape(x)) if n == 1)
    if at.var == x:
        at.check(at.axis not in axes)
        yield at.go(out, at.axis - sum(axis < at.axis for axis in axes))
    elif at.var == out:
        yield at.go(x, _behind(at.axis, axes))


def unsqueeze(at: At) -> Iterator[Step]:
    """Axes of size 1 more."""
    x, out, axes = at.read("X"), at.written(), at.op.get_ints("axes")
    if at.var == x:
        yield at.go(out, _behind(at.axis, axes))
    elif at.var == out:
        yield at.go(x, at.axis - sum(axis < at.axis for axis in axes))


def _behind(at: int, axes: tuple[int, ...]) -> int:
    for axis in axes:
        at += axis <= at
    return at
