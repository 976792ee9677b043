"""What PaddleSlim would leave as it is, and why: only what is there is named."""

from __future__ import annotations

from graphprobe.emit import slim_outcomes
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
    return slim_outcomes(choose(find_prunable(program(**of_program), policy))).left


def test_only_what_is_there_is_named():
    assert lost(concat=True, hidden=False) == {"a.w_0": "concat", "b.w_0": "concat"}
    assert lost(concat=False, hidden=True) == {"up.w": "fully connected layers"}
    assert lost(concat=False, hidden=False) == {}


def test_what_policy_seeds_takes_is_followed():
    assert lost("seeds", concat=True, hidden=True) == {}


def test_a_scale_in_front_of_its_feature_is_what_paddleslim_fails_on():
    """The learned scale and bias of one number each, as PP-LCNetV3 has them."""
    b = Builder()
    scale, bias = b.param("scale", (1,)), b.param("bias", (1,))
    x = b.conv(b.feed("image", (-1, 3, 4, 4)), 8, name="a")
    x = b.op("elementwise_mul", {"X": scale, "Y": x}, shape=(-1, 8, 4, 4))
    x = b.conv(b.op("relu", {"X": x}, shape=(-1, 8, 4, 4)), 6, name="b")
    x = b.op("elementwise_add", {"X": x, "Y": bias}, shape=(-1, 6, 4, 4))
    b.op("fetch", {"X": b.conv(x, 2, name="z")}, {"Out": "fetch"})
    choice = choose(find_prunable(b.build(), "seeds"))
    assert choice.params == ["a.w_0", "b.w_0"]
    left, failing = slim_outcomes(choice)
    assert not left and failing == {"a.w_0": "it ends in an error at elementwise_mul"}
