"""Layers that leave the variable names of Paddle 1.x static programs.

Paddle 2.6 names some variables after functions that 1.x did not have. Here every op goes
through a LayerHelper named as in 1.x: ``batch_norm_0.tmp_2`` is a norm's output and ``tmp_3``
its activation, ``nearest_interp_0.tmp_0`` an upsampled map, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import paddle
from paddle.base.layer_helper import LayerHelper

from graphprobe.zoo._base import Feed

Var: TypeAlias = Any


def describe_feed(var: Var) -> Feed:
    """(name, shape, dtype) of an input."""
    dtype = str(var.dtype).rsplit(".", 1)[-1].lower()
    return var.name, tuple(var.shape), {"fp32": "float32"}.get(dtype, dtype)


def scaled(channels: int, scale: float) -> int:
    """A number of channels times the width multiplier, 8 at least."""
    return channels if scale == 1 else max(8, int(channels * scale))


def no_decay() -> Any:
    """The regularizer that switches the optimizer's weight decay off for one parameter."""
    return paddle.regularizer.L2Decay(0.0)


def emit(
    kind: str,
    inputs: Mapping[str, Any],
    attrs: Mapping[str, Any] | None = None,
    *,
    label: str | None = None,
    name: str | None = None,
    slot: str = "Out",
    dtype: Any = None,
    extra: Sequence[tuple[str, Any]] = (),
) -> Var:
    """Append one op.

    Args:
        kind: the op's type.
        inputs: slot -> variable or variables.
        attrs: the op's attributes.
        label: what its output is named after (``LABEL_0.tmp_0``); the type by default.
        name: the output's whole name before ``.tmp_0``.
        slot: the slot of the output that is returned.
        dtype: of the output; by default that of the first input.
        extra: (slot, dtype) of further outputs that nothing reads.
    """
    first = next(iter(inputs.values()))
    dtype = dtype or (first[0] if isinstance(first, list) else first).dtype
    helper = LayerHelper(label or kind, name=name)
    outputs = {slot: helper.create_variable_for_type_inference(dtype)}
    for further, kind_of in extra:
        outputs[further] = helper.create_variable_for_type_inference(kind_of, stop_gradient=True)
    helper.append_op(type=kind, inputs=dict(inputs), outputs=outputs, attrs=dict(attrs or {}))
    return outputs[slot]


@dataclass(frozen=True, slots=True)
class NormNames:
    """What a batch normalization's four parameters are called."""

    scale: str
    offset: str
    mean: str
    variance: str

    @classmethod
    def joined(cls, stem: str, *endings: str) -> NormNames:
        """Names of one stem; by default with ``_scale _offset _mean _variance``."""
        scale, offset, mean, variance = endings or ("_scale", "_offset", "_mean", "_variance")
        return cls(stem + scale, stem + offset, stem + mean, stem + variance)


def conv(
    x: Var,
    channels: int,
    kernel: int,
    *,
    weights: Any,
    bias: Any = False,
    stride: int = 1,
    dilation: int = 1,
    padding: int | None = None,
    groups: int = 1,
    name: str | None = None,
) -> Var:
    """A convolution that keeps H and W (before striding) unless `padding` says otherwise.

    With as many groups as channels it becomes a ``depthwise_conv2d``, counted apart from the
    others; on a GPU that op does without cuDNN, as the published models choose.
    """
    depthwise = groups > 1 and groups == x.shape[1]
    return paddle.static.nn.conv2d(
        x,
        channels,
        kernel,
        stride=stride,
        padding=dilation * (kernel - 1) // 2 if padding is None else padding,
        dilation=dilation,
        groups=groups,
        param_attr=weights,
        bias_attr=bias,
        use_cudnn=not depthwise,
        name=name,
    )


def batch_norm(
    x: Var,
    names: NormNames,
    *,
    train: bool,
    act: str | None = None,
    name: str | None = None,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    decay: Any = None,
) -> Var:
    """Batch normalization, then an activation.

    Args:
        x: [N, C, H, W].
        names: of the parameters.
        train: use the batch's statistics and update the moving ones.
        act: ``relu``, ``relu6`` or None.
        name: of the variables, before ``.tmp_0``.
        epsilon: added to the variance.
        momentum: of the moving statistics.
        decay: the regularizer of scale and offset.
    """
    helper = LayerHelper("batch_norm", name=name, act=act)
    inputs = {"X": x, **_norm_parameters(helper, x, names, decay)}
    outputs = {"MeanOut": inputs["Mean"], "VarianceOut": inputs["Variance"]}
    for slot in ("SavedMean", "SavedVariance", "Y"):
        outputs[slot] = helper.create_variable_for_type_inference(x.dtype, slot != "Y")
    attrs = {
        "momentum": momentum,
        "epsilon": epsilon,
        "is_test": not train,
        "data_layout": "NCHW",
        "use_global_stats": False,
        "trainable_statistics": False,
    }
    op = helper.append_op(type="batch_norm", inputs=inputs, outputs=outputs, attrs=attrs)
    activated = helper.append_activation(outputs["Y"])
    if train:
        # Paddle 1.x had no such output; created last, it leaves the other names as they were.
        reserve = helper.create_variable_for_type_inference(x.dtype, stop_gradient=True)
        op.desc.set_output("ReserveSpace", [reserve.name])
    return activated


def _norm_parameters(helper: Any, x: Var, names: NormNames, decay: Any) -> dict[str, Var]:
    def make(name: str, value: float, trained: bool) -> Var:
        attr = paddle.ParamAttr(
            name=name,
            initializer=paddle.nn.initializer.Constant(value),
            trainable=trained,
            regularizer=decay if trained else None,
        )
        var = helper.create_parameter(attr, shape=[x.shape[1]], dtype=x.dtype)
        var.stop_gradient = not trained
        return var

    return {
        "Scale": make(names.scale, 1.0, True),
        "Bias": make(names.offset, 0.0, True),
        "Mean": make(names.mean, 0.0, False),
        "Variance": make(names.variance, 1.0, False),
    }


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


def pool(x: Var, kernel: int, stride: int, padding: int, kind: str = "max") -> Var:
    """``max`` or ``avg`` pooling."""
    attrs = {
        "pooling_type": kind,
        "ksize": [kernel, kernel],
        "strides": [stride, stride],
        "paddings": [padding, padding],
        "global_pooling": False,
        "ceil_mode": False,
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
