"""An exported program as one that can be trained: what is a parameter, what runs in which mode."""

from __future__ import annotations

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ops.spatial.image_input import image_input
from graphprobe.training.networks.trainable import (
    fused_op,
    trainable,
    trainable_names,
    without_ports,
)


def classifier() -> Program:
    """Mean taken off the picture, convolution, norm, dropout, scale a channel, flatten, linear."""
    b = Builder()
    x = b.feed("x", (-1, 3, 8, 8))
    b.param("pixel_mean", (1, 3, 1, 1))
    mean = b.op("elementwise_sub", {"X": x, "Y": "pixel_mean"}, shape=(-1, 3, 8, 8))
    y = b.conv(mean, 4, 3, name="conv")
    for name in ("scale", "bias", "mean", "variance"):
        b.param(name, (4,))
    norm = {"X": y, "Scale": "scale", "Bias": "bias", "Mean": "mean", "Variance": "variance"}
    written = {"Y": "normed", "MeanOut": "mean", "VarianceOut": "variance"}
    y = b.op("batch_norm", norm, written, {"is_test": True, "epsilon": 1e-5}, (-1, 4, 8, 8))
    drop = {"dropout_prob": 0.25, "is_test": True}
    y = b.op("dropout", {"X": y}, {"Out": "dropped", "Mask": "mask"}, drop, (-1, 4, 8, 8))
    b.param("gain", (1,))
    y = b.op("elementwise_mul", {"X": "gain", "Y": y}, shape=(-1, 4, 8, 8))
    y = b.op("flatten_contiguous_range", {"X": y}, shape=(-1, 256))
    b.param("fc.w", (256, 5))
    y = b.op("matmul_v2", {"X": y, "Y": "fc.w"}, shape=(-1, 5))
    return b.build([y])


def test_weights_are_parameters_and_statistics_and_constants_are_not() -> None:
    assert trainable_names(classifier()) == {"conv.w_0", "scale", "bias", "gain", "fc.w"}
    found = trainable(without_ports(classifier())).blocks[0].vars
    assert {name for name, var in found.items() if var.is_parameter} == trainable_names(
        classifier()
    )
    assert all(found[name].stop_gradient for name in ("mean", "variance", "pixel_mean"))
    assert not found["conv.tmp_0"].stop_gradient


def test_norms_keep_their_statistics_and_dropout_scales() -> None:
    ops = {op.type: op for op in trainable(without_ports(classifier())).ops}
    norm = ops["batch_norm"]
    assert norm.attrs["use_global_stats"] is True and norm.attrs["is_test"] is False
    assert norm.attrs["epsilon"] == 1e-5
    assert "dropout" not in ops and ops["scale"].attrs["scale"] == 0.75
    assert ops["scale"].outputs == {"Out": ("dropped",)}


def test_outputs_that_gradients_read_are_added() -> None:
    program = trainable(without_ports(classifier()))
    ops = {op.type: op for op in program.ops}
    flatten, norm = ops["flatten_contiguous_range"], ops["batch_norm"]
    assert program.shape(flatten.output("XShape")) == (0, -1, 4, 8, 8)
    for slot in ("SavedMean", "SavedVariance", "ReserveSpace"):
        assert program.var(norm.output(slot) or "") is not None
    again = trainable(program)
    assert [op.outputs for op in again.ops] == [op.outputs for op in program.ops]


def test_the_picture_is_called_image_and_ports_are_left_out() -> None:
    from graphprobe.formats import add_ports

    program = add_ports(classifier())
    found = image_input(program)
    assert found is not None and found.name == "x"
    plain = without_ports(program)
    assert plain.feeds == ("image",) and plain.fetches == program.fetches
    assert not {"feed", "fetch"} & {op.type for op in plain.ops}
    assert [op.id for op in plain.ops] == list(range(len(plain.ops)))
    assert plain.ops[0].inputs["X"] == ("image",)


def test_inputs_that_are_no_picture_keep_their_names() -> None:
    b = Builder()
    b.feed("im_shape", (-1, 2))
    b.feed("a", (-1, 3, 8, 8))
    b.feed("b", (-1, 3, 8, 8))
    b.op("concat", {"X": ["a", "b"]}, shape=(-1, 6, 8, 8))
    program = b.build()
    assert image_input(program) is None
    assert without_ports(program).feeds == ("im_shape", "a", "b")


def test_ops_that_an_engine_has_fused_are_found() -> None:
    b = Builder()
    y = b.conv(b.feed("x", (-1, 3, 8, 8)), 4)
    assert fused_op(b.build([y])) is None
    fused = {"Input": y, "Filter": b.param("w", (4, 4, 1, 1))}
    b.op("conv2d", fused, {"Output": "y"}, {"fuse_activation": "relu"}, (-1, 4, 8, 8))
    found = fused_op(b.build(["y"]))
    assert found is not None and found.output("Output") == "y"
