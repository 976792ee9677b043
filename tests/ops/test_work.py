"""How much the convolutions of a program compute."""

from __future__ import annotations

import pytest

from graphprobe.ir.builder import Builder
from graphprobe.ops.work.count import multiply_adds, weight_uses


@pytest.mark.parametrize(
    ("layout", "image", "made"),
    [("NCHW", (-1, 3, -1, -1), (-1, 8, -1, -1)), ("NHWC", (-1, -1, -1, 3), (-1, -1, -1, 8))],
)
def test_open_sizes_are_those_of_the_image(
    layout: str, image: tuple[int, ...], made: tuple[int, ...]
) -> None:
    """3x3, stride 2, on 64 by 32 pixels."""
    b = Builder()
    slots = {"Input": b.feed("image", image), "Filter": b.param("w", (8, 3, 3, 3))}
    attrs = {"strides": (2, 2), "paddings": (1, 1), "data_format": layout}
    program = b.build([b.op("conv2d", slots, {"Output": "y"}, attrs, made)])
    uses = weight_uses(program, (64, 32))
    assert [use.positions for use in uses] == [32 * 16]
    assert multiply_adds(uses) == 8 * 3 * 9 * 32 * 16
