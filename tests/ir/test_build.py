"""The builder gives what Paddle would name and shape alike."""

from __future__ import annotations

import doctest

from graphprobe.ir import builder as build
from graphprobe.ir.builder import Builder


def test_the_example_in_its_docs() -> None:
    assert doctest.testmod(build).failed == 0


def test_names_shapes_and_ids() -> None:
    b = Builder()
    x = b.feed("x", (-1, 3, 33, -1))
    y = b.conv(x, 8, k=3, stride=2)
    z = b.conv(y, 8, k=3, groups=8, type="depthwise_conv2d")
    b.conv(z, 4, name="head")
    program = b.build(["head.tmp_0"])
    assert program.shape(y) == (-1, 8, 17, -1)
    assert program.shape("depthwise_conv2d_0.w_0") == (8, 1, 3, 3)
    assert [op.output("Output") for op in program.ops] == [y, z, "head.tmp_0"]
    assert (program.feeds, program.fetches) == (("x",), ("head.tmp_0",))
    assert [v.name for v in program.parameters] == [
        "conv2d_0.w_0",
        "depthwise_conv2d_0.w_0",
        "head.w_0",
    ]


def test_blocks_nest_and_see_what_is_outside() -> None:
    b = Builder()
    x = b.feed("x", (4,))
    with b.block() as outer:
        y = b.op("relu", {"X": x})
        with b.block() as inner:
            b.op("relu", {"X": y}, {"Out": y})
        b.op("while", {"X": y}, {}, {"sub_block": inner})
    b.op("while", {"X": x}, {}, {"sub_block": outer})
    program = b.build()
    assert [(block.index, block.parent) for block in program.blocks] == [(0, -1), (1, 0), (2, 1)]
    assert [op.id for op in program.ops] == [0, 1, 2, 3]
    assert "relu_0.tmp_0" in program.blocks[1].vars and not program.blocks[2].vars
