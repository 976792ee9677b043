"""Open sizes and computed shapes: what is known to be equal, and what a target shape comes to."""

from __future__ import annotations

from math import prod

import pytest

from graphprobe.ir.builder import Builder
from graphprobe.ops.symbols.sizes import Size, SizeNumbers, product
from graphprobe.ops.symbols.values import ShapeValues

N, H = Size(1, ("n",)), Size(1, ("h",))


def followed(b, fetch):
    program = b.build([fetch])
    values = ShapeValues(program.dataflow)
    for op in program.ops:
        values.visit(op)
    return program, values


def sizes_of(values, name):
    value = values.flow.last(name)
    assert value is not None
    return values.numbers(value)


def test_products_and_quotients_of_open_sizes():
    assert product([Size(2), N, Size(3), H]) == Size(6, ("h", "n")) == H.times(N).times(Size(6))
    assert Size(6, ("h", "n")).over(Size(2, ("n",))) == Size(3, ("h",))
    assert Size(6).over(Size(4)) is None and N.over(H) is None and N.over(Size(0)) is None


def test_equal_sizes_have_equal_numbers_that_nobody_calculates_with():
    numbers = SizeNumbers()
    assert numbers.number(Size(7)) == 7
    assert numbers.number(N) == numbers.number(Size(1, ("n",))) < -1
    assert len({numbers.number(size) for size in (N, H, N.times(H), N.times(Size(2)))}) == 4


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ((0, 2, 4, -1), (2, 4, 30)),
        ((0, -1, 30), (8, 30)),
        ((0, 8, 5, 6), (8, 5, 6)),
    ],
)
def test_a_reshape_keeps_the_batch_and_works_out_what_is_left(target, expected):
    b = Builder()
    x = b.feed("x", (-1, 8, 5, 6))
    y = b.op("reshape2", {"X": x}, attrs={"shape": target}, shape=(-1,) * len(target))
    _, values = followed(b, y)
    batch, *rest = sizes_of(values, y)
    assert batch == sizes_of(values, x)[0] < -1
    assert tuple(rest) == expected and prod(rest) == 240


def test_a_shape_that_is_measured_divided_and_joined():
    """By shape, slice, floordiv, a constant and concat: [N, 8, H, W] -> [N, 2, 4, H, W]."""
    b = Builder()
    x = b.feed("x", (-1, 8, -1, -1))
    sizes = b.op("shape", {"Input": x}, shape=(4,))
    parts = [
        b.op("slice", {"Input": sizes},
             attrs={"axes": (0,), "starts": (i,), "ends": (i + 1,)}, shape=(1,))
        for i in range(4)
    ]  # fmt: skip
    two = b.op("fill_constant", attrs={"shape": (1,), "value": 2.0, "str_value": "2"}, shape=(1,))
    half = b.op("elementwise_floordiv", {"X": parts[1], "Y": two}, shape=(1,))
    shape = b.op("concat", {"X": [parts[0], two, half, *parts[2:]]}, attrs={"axis": 0}, shape=(5,))
    y = b.op("reshape2", {"X": x, "Shape": shape}, attrs={"shape": (-1,) * 5}, shape=(-1,) * 5)
    program, values = followed(b, y)
    n, _, h, w = sizes_of(values, x)
    assert sizes_of(values, y) == (n, 2, 4, h, w)
    target = values.target(program.ops[-1])
    assert target[1].source is not None and program.ops[target[1].source.op].type == "fill_constant"
    assert (target[2].source, target[2].axis, target[2].divided) == (None, 1, 2)


def test_a_global_pool_has_one_row_and_one_column():
    b = Builder()
    x = b.feed("x", (-1, 8, -1, -1))
    y = b.op("pool2d", {"X": x}, attrs={"global_pooling": True}, shape=(-1, 8, -1, -1))
    z = b.op("pool2d", {"X": x}, attrs={"adaptive": True, "ksize": (2, 3)}, shape=(-1, 8, -1, -1))
    _, values = followed(b, z)
    assert sizes_of(values, y)[1:] == (8, 1, 1) and sizes_of(values, z)[1:] == (8, 2, 3)


@pytest.mark.parametrize("shape", [(-1, -1), (0, 0, 0, 0, 0, 7), (5, 5)])
def test_targets_that_do_not_fit_are_open_and_raise_nothing(shape):
    b = Builder()
    x = b.feed("x", (-1, 8, 5, 6))
    y = b.op("reshape2", {"X": x}, attrs={"shape": shape}, shape=(-1,) * len(shape))
    _, values = followed(b, y)
    assert len(sizes_of(values, y)) == len(shape)
