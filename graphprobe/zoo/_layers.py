"""Layers without parameters: activations, sums, pooling, resizing, transposing."""

from __future__ import annotations

from collections.abc import Sequence

from paddle.base.layer_helper import LayerHelper

from graphprobe.zoo._emit import Var, emit


def leaky_relu(x: Var, slope: float) -> Var:
    """``x`` where positive, else ``slope * x``."""
    return emit("leaky_relu", {"X": x}, {"alpha": slope})


def add(x: Var, y: Var, act: str | None = None, name: str | None = None) -> Var:
    """``x + y``, then an activation."""
    helper = LayerHelper("elementwise_add", name=name, act=act)
    out = helper.create_variable_for_type_inference(x.dtype)
    helper.append_op(
        type="elementwise_add", inputs={"X": x, "Y": y}, outputs={"Out": out}, attrs={"axis": -1}
    )
    return helper.append_activation(out)


def concat(parts: Sequence[Var], axis: int) -> Var:
    """Joined along an axis."""
    return emit("concat", {"X": list(parts)}, {"axis": axis})


def pool(
    x: Var, kernel: int, stride: int, padding: int, kind: str = "max", ceil: bool = False
) -> Var:
    """``max`` or ``avg`` pooling; with `ceil` an odd rest at the border counts."""
    attrs = {
        "pooling_type": kind,
        "ksize": [kernel, kernel],
        "strides": [stride, stride],
        "paddings": [padding, padding],
        "global_pooling": False,
        "ceil_mode": ceil,
        "exclusive": True,
        "data_format": "NCHW",
    }
    return emit("pool2d", {"X": x}, attrs)


def relu(x: Var) -> Var:
    """``max(x, 0)``."""
    return emit("relu", {"X": x})


def relu6(x: Var) -> Var:
    """``min(max(x, 0), 6)``."""
    return emit("relu6", {"X": x}, {"threshold": 6.0})


def dropout(x: Var, rate: float, train: bool) -> Var:
    """Zero a share of the elements in training; scale all by ``1 - rate`` afterwards."""
    attrs = {
        "dropout_prob": rate,
        "is_test": not train,
        "fix_seed": False,
        "seed": 0,
        "dropout_implementation": "downgrade_in_infer",
    }
    return emit("dropout", {"X": x}, attrs, extra=[("Mask", "uint8")])


def resize_bilinear(x: Var, like: Var) -> Var:
    """Resized, corners aligned, to the height and width of another map."""
    height, width = like.shape[2:]
    inputs = {"X": x}
    if min(height, width) < 0:
        shape = emit("shape", {"Input": like}, dtype="int32")
        span = {"axes": [0], "starts": [2], "ends": [4], "decrease_axis": [], "infer_flags": [1]}
        inputs["OutSize"] = emit("slice", {"Input": shape}, span)
    attrs = {
        "data_layout": "NCHW",
        "interp_method": "bilinear",
        "align_corners": True,
        "align_mode": 1,
        "out_d": -1,
        "out_h": height,
        "out_w": width,
        "scale": [],
    }
    return emit("bilinear_interp_v2", inputs, attrs, label="bilinear_interp")


def upsample_nearest(x: Var, factor: float) -> Var:
    """[N, C, H, W] -> [N, C, factor * H, factor * W], each pixel repeated."""
    attrs = {
        "data_layout": "NCHW",
        "interp_method": "nearest",
        "align_corners": False,
        "align_mode": 1,
        "out_d": -1,
        "out_h": -1,
        "out_w": -1,
        "scale": [factor, factor],
    }
    return emit("nearest_interp_v2", {"X": x}, attrs, label="nearest_interp")


def transpose(x: Var, order: Sequence[int]) -> Var:
    """Axes in another order."""
    extra = [("XShape", x.dtype)]
    return emit("transpose2", {"X": x}, {"axis": list(order)}, label="transpose", extra=extra)


def mean(x: Var) -> Var:
    """The mean of all elements."""
    attrs = {"dim": [0], "keep_dim": False, "reduce_all": True}
    return emit("reduce_mean", {"X": x}, attrs)


def add_up(terms: Sequence[Var]) -> Var:
    """The sum of tensors of one shape."""
    return emit("sum", {"X": list(terms)})
