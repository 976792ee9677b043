"""The table of operators."""

from __future__ import annotations

import pytest

from graphprobe.ops import op_spec, op_specs


def test_both_generations_and_in_place_forms_are_known():
    for name in [
        "conv2d",
        "depthwise_conv2d",
        "conv2d_transpose",
        "deformable_conv",
        "batch_norm",
        "sync_batch_norm",
        "relu",
        "relu_",
        "hard_swish",
        "hardswish",
        "leaky_relu",
        "mish",
        "bilinear_interp",
        "bilinear_interp_v2",
        "reshape",
        "reshape2",
        "reshape2_",
        "flatten2",
        "flatten_contiguous_range",
        "transpose2",
        "mul",
        "matmul_v2",
        "fc",
        "elementwise_add",
        "sum",
        "concat",
        "split",
        "slice",
        "strided_slice",
        "shuffle_channel",
        "yolo_box",
        "yolov3_loss",
        "multiclass_nms3",
        "fake_quantize_moving_average_abs_max",
        "quantize_linear",
        "shape",
        "conditional_block",
        "while",
        "fetch",
    ]:
        assert op_spec(name) is not None, name
    assert op_spec("my_own_op") is None
    assert op_spec("") is None


def test_the_number_of_known_ops_is_pinned():
    assert len(op_specs()) >= 320


@pytest.mark.parametrize("name", ["conv2d", "depthwise_conv2d", "conv2d_transpose"])
def test_convolutions_name_their_filter(name):
    spec = op_spec(name)
    assert spec is not None and spec.filter == "Filter"
    assert spec.out_axis == (1 if "transpose" in name else 0)
