"""What PaddleSlim does at convolutions, norms and ops of one number each."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.emit.slim.steps import At, Change, Step, Worker
from graphprobe.ir import Op


def passing(x: str = "X", out: str = "Out") -> Worker:
    """An op of one number each, by the names of its slots."""

    def worker(at: At) -> Iterator[Step]:
        if at.var == at.written(out):
            yield at.go(at.read(x))
        if at.var == at.read(x):
            yield at.go(at.written(out))

    return worker


def alike(at: At) -> Iterator[Step]:
    """Whatever has as many axes."""
    rank = len(at.shape(at.var))
    if at.var in at.op.output_names():
        yield from (at.go(n) for n in at.op.input_names() if len(at.shape(n)) == rank)
    yield from (at.go(n) for n in at.op.output_names() if len(at.shape(n)) == rank)


def _channel_axis(op: Op) -> int:
    return 3 if op.get_str("data_format", "NCHW") == "NHWC" else 1


def conv(at: At) -> Iterator[Step]:
    """A convolution; depthwise by its groups, whatever its type."""
    x, weight, out = at.read("Input"), at.read("Filter"), at.written("Output")
    channel, groups = _channel_axis(at.op), at.op.get_int("groups", 1)
    count = at.size(x, channel)
    if count == groups > 1 and at.size(weight, 0) % count == 0:
        yield from depthwise(at)
        return
    if at.var == x:
        at.check(at.axis == channel)
        yield at.cut(weight, 1)
        if groups <= 1:
            yield at.go(weight, 1)
    elif at.var == weight:
        at.check(at.axis in (0, 1))
        yield at.cut(weight)
        if groups <= 1 or at.axis == 0:
            yield at.go(weight)
        at.check(not (at.axis == 0 and at.read("Bias")))
        yield at.go(out if at.axis == 0 else x, channel)
    elif at.var == out:
        at.check(at.axis == channel and not at.read("Bias"))
        yield at.cut(weight, 0)
        yield at.go(weight, 0)


def transposed(at: At) -> Iterator[Step]:
    """A transposed convolution: not from its own filter."""
    x, weight, out = at.read("Input"), at.read("Filter"), at.written("Output")
    if at.var == weight:
        return
    at.check(at.axis == _channel_axis(at.op))
    axis = 0 if at.var == x else 1
    yield at.cut(weight, axis)
    yield at.go(weight, axis)
    if at.var == out:
        at.check(not at.read("Bias"))
        yield at.go(out)


def depthwise(at: At) -> Iterator[Step]:
    """A depthwise convolution."""
    x, weight, out = at.read("Input"), at.read("Filter"), at.written("Output")
    channel, groups = _channel_axis(at.op), at.op.get_int("groups", 1)
    at.check(at.axis == (0 if at.var == weight else channel))
    times = at.size(weight, 0) // max(groups, 1)
    more = (Change("repeat", times),) if at.var == x else ()
    yield at.cut(weight, 0, *more)
    if at.var != weight:
        yield at.go(weight, 0, *more)
    if at.var != x:
        yield at.go(x, channel)
    if at.var != out:
        yield at.go(out, channel, *more)


def with_vectors(out: str, *slots: str) -> Worker:
    """An op with one number a channel in some slots."""

    def worker(at: At) -> Iterator[Step]:
        if at.var not in (at.read("X"), at.written(out)):
            return
        if at.var == at.written(out):
            yield at.go(at.read("X"))
        for slot in slots:
            yield at.go(at.read(slot), 0)
            yield at.cut(at.read(slot), 0)
        yield at.go(at.written(out))

    return worker


def elementwise(at: At) -> Iterator[Step]:
    """Two tensors, one of which may have fewer axes."""
    x, y, out = at.read("X"), at.read("Y"), at.written()
    wide, narrow = at.shape(x), at.shape(y)
    given = at.op.get_int("axis", -1)
    axis = len(wide) - len(narrow) if given == -1 else given
    if at.var == out:
        if wide != (1,):
            yield at.go(x)
        if narrow != (1,):
            if at.axis >= axis:
                yield at.cut(y, at.axis - axis)
            yield at.go(y, at.axis - axis)
        return
    along = at.axis
    if at.var == x:
        at.check(len(wide) >= len(narrow))
        there = along - (axis if len(wide) > len(narrow) else 0)
        if there >= 0 and narrow != (1,):
            yield at.cut(y, there)
            yield at.go(y, there)
    else:
        at.check(len(narrow) <= len(wide))
        along += axis if len(narrow) < len(wide) else 0
        if along <= len(wide):
            yield at.go(x, along)
    yield at.go(out, along)


def summed(at: At) -> Iterator[Step]:
    """A sum of any number of tensors."""
    names = at.op.inputs.get("X", ())
    yield from (at.go(name) for name in names if name != at.var)
    yield at.go(at.written())
