"""The list of variables: order, who uses them, and which are wanted."""

from __future__ import annotations

import re

from graphprobe.ir.builder import Builder
from graphprobe.ir.listing import Wanted, list_vars, undeclared
from graphprobe.ir.program import Program


def program() -> Program:
    b = Builder()
    x = b.feed("x", (-1, 3, 8, 8))
    b.var("unused_b", (1,))
    b.var("unused_a", (1,))
    y = b.conv(x, 4)
    b.op("relu", {"X": y}, {"Out": y}, shape=(-1, 4, 8, 8))
    b.op("sum", {"X": [y, x, y]}, {"Out": "total"})
    b.op("momentum", {"Param": "conv2d_0.w_0"}, {"ParamOut": "conv2d_0.w_0"}, {"op_role": 2})
    return b.build()


def test_in_the_order_of_first_use() -> None:
    names = [use.var.name for use in list_vars(program())]
    assert names == ["x", "conv2d_0.w_0", "conv2d_0.tmp_0", "total", "unused_a", "unused_b"]


def test_the_first_writer_and_all_readers() -> None:
    uses = {
        use.var.name: (
            use.producer and use.producer.type,
            [(op.id, op.type) for op in use.consumers],
        )
        for use in list_vars(program())
    }
    assert uses["conv2d_0.tmp_0"] == ("conv2d", [(1, "relu"), (2, "sum")])
    assert uses["x"] == (None, [(0, "conv2d"), (2, "sum")])
    assert uses["conv2d_0.w_0"][0] == "momentum"
    assert uses["unused_a"] == (None, [])


def test_what_is_wanted() -> None:
    def names(wanted: Wanted) -> list[str]:
        return [use.var.name for use in list_vars(program(), wanted)]

    assert names(Wanted(match=re.compile("tmp"))) == ["conv2d_0.tmp_0"]
    assert names(Wanted(params=True)) == ["conv2d_0.w_0"]
    assert names(Wanted(op_type="relu")) == ["conv2d_0.tmp_0"]
    assert names(Wanted(op_type="con")) == []
    assert names(Wanted(op_type="sum", match=re.compile("x"))) == ["x"]


def test_names_of_inner_blocks_stay_with_their_block() -> None:
    b = Builder()
    x = b.feed("x", (1,))
    with b.block() as body:
        b.var("x", (2,))
        b.op("relu", {"X": x}, {"Out": "x"})
    b.op("while", {"X": x}, {}, {"sub_block": body})
    uses = list_vars(b.build())
    assert [(use.block, use.var.name) for use in uses] == [(0, "x"), (1, "x")]
    assert uses[0].producer is None
    assert uses[1].producer is not None and uses[1].producer.type == "relu"


def test_undeclared_names() -> None:
    b = Builder()
    b.op("relu", {"X": "ghost"}, {"Out": "y"})
    b.op("relu", {"X": ["@EMPTY@", "ghost", ""]}, {"Out": "z"})
    assert undeclared(b.build()) == ("ghost",)
