"""Operators that the table knows under fused names, and those that it lacks."""

from __future__ import annotations

import pytest

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.pairing.find import find_pairs


def detector(conv: str, between: str = "relu", channels: int = 16) -> Program:
    """Four convolutions of stride 2 with `between` behind each, and a YOLO head."""
    b = Builder()
    x, size, made = b.feed("image", (-1, 3, 64, 64)), 64, 3
    for i in range(4):
        size //= 2
        w = b.param(f"w{i}", (channels, made, 3, 3))
        attrs = {"strides": (2, 2), "paddings": (1, 1)}
        shape = (-1, channels, size, size)
        x = b.op(conv, {"Input": x, "Filter": w}, {"Output": f"c{i}"}, attrs, shape)
        x = b.op(between, {"X": x}, {"Out": f"a{i}"}, {}, (-1, channels, -1, -1))
        made = channels
    head = {"Input": x, "Filter": b.param("head_w", (21, made, 1, 1))}
    y = b.op("conv2d", head, {"Output": "head"}, {"strides": (1, 1)}, (-1, 21, -1, -1))
    attrs = {"anchors": (10, 13, 16, 30, 33, 23), "class_num": 2}
    slots = {"X": y, "ImgSize": b.feed("size", (-1, 2))}
    boxes = b.op("yolo_box", slots, {"Boxes": "boxes"}, attrs, (-1, -1, 4))
    return b.build([boxes])


@pytest.mark.parametrize(
    "conv", ["conv2d", "fused_conv2d", "fused_conv2d_add_act", "conv2d_fusion"]
)
def test_fused_convolutions_halve_the_map_like_others(conv):
    report = find_pairs(detector(conv, channels=8), detector("conv2d"))
    assert [pair.role for pair in report.pairs] == ["yolo head, stride 16"]
    assert not any("not known" in warning for warning in report.warnings)


def test_an_unknown_operator_is_reported_and_no_stride_is_invented():
    report = find_pairs(detector("conv2d", "my_own_op", 8), detector("conv2d"))
    assert any("the student" in w and "my_own_op (4)" in w for w in report.warnings)
    assert [pair.role for pair in report.pairs] in (["yolo head"], [])


@pytest.mark.parametrize(
    "activation", ["elu", "mish", "softsign", "tanh_shrink", "thresholded_relu"]
)
def test_logits_are_found_before_every_activation(activation):
    def classifier(channels: int) -> Program:
        b = Builder()
        w = b.param("w", (channels, 10))
        y = b.op("mul", {"X": b.feed("x", (-1, channels)), "Y": w}, {"Out": "fc"}, {}, (-1, 10))
        return b.build([b.op(activation, {"X": y}, {"Out": "out"}, {}, (-1, 10))])

    report = find_pairs(classifier(4), classifier(8))
    assert [pair.student for pair in report.pairs] == ["fc"]
