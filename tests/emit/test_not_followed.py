"""What PaddleSlim would leave as it is, and why: only what is there is named."""

from __future__ import annotations

from graphprobe.emit import not_followed
from graphprobe.ir.builder import Builder
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import choose


def program(*, concat: bool, hidden: bool):
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 4, 4)), 8, name="a")
    channels = 8
    if concat:
        x = b.op("concat", {"X": [x, b.conv(x, 4, name="b")]}, attrs={"axis": 1},
                 shape=(-1, 12, 4, 4))  # fmt: skip
        channels = 12
    x = b.op("pool2d", {"X": x}, attrs={"global_pooling": True}, shape=(-1, channels, 1, 1))
    for name, rows, columns in (("up", channels, 6), ("down", 6, 5)) if hidden else ():
        w = b.param(f"{name}.w", (rows, columns))
        x = b.op("mul", {"X": x, "Y": w}, attrs={"x_num_col_dims": 1}, shape=(-1, columns))
    b.op("fetch", {"X": x if hidden else b.conv(x, 2, name="z")}, {"Out": "fetch"})
    return b.build()


def lost(policy="coupled", **of_program):
    return not_followed(choose(find_prunable(program(**of_program), policy)))


def test_only_what_is_there_is_named():
    assert lost(concat=True, hidden=False) == {"a.w_0": "concat", "b.w_0": "concat"}
    assert lost(concat=False, hidden=True) == {"up.w": "fully connected layers"}
    assert lost(concat=False, hidden=False) == {}


def test_what_policy_seeds_takes_is_followed():
    assert lost("seeds", concat=True, hidden=True) == {}
