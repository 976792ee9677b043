"""Convolutions and the norms that follow them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import paddle
from paddle.base.layer_helper import LayerHelper

from graphprobe.zoo._emit import Var


def scaled(channels: int, scale: float) -> int:
    """A number of channels times the width multiplier, 8 at least."""
    return channels if scale == 1 else max(8, int(channels * scale))


def no_decay() -> Any:
    """The regularizer that switches the optimizer's weight decay off for one parameter."""
    return paddle.regularizer.L2Decay(0.0)


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
    """A convolution that keeps H and W (before striding) unless `padding` is given.

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
    frozen: bool = False,
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
        frozen: nothing of it is trained; the moving statistics are used in training too.
    """
    helper = LayerHelper("batch_norm", name=name, act=act)
    inputs = {"X": x, **_norm_parameters(helper, x, names, decay, frozen)}
    outputs = {"MeanOut": inputs["Mean"], "VarianceOut": inputs["Variance"]}
    for slot in ("SavedMean", "SavedVariance", "Y"):
        outputs[slot] = helper.create_variable_for_type_inference(x.dtype, slot != "Y")
    attrs = {
        "momentum": momentum,
        "epsilon": epsilon,
        "is_test": not train,
        "data_layout": "NCHW",
        "use_global_stats": frozen,
        "trainable_statistics": False,
    }
    op = helper.append_op(type="batch_norm", inputs=inputs, outputs=outputs, attrs=attrs)
    activated = helper.append_activation(outputs["Y"])
    if train:
        # Paddle 1.x had no such output; created last, it leaves the other names as they were.
        reserve = helper.create_variable_for_type_inference(x.dtype, stop_gradient=True)
        op.desc.set_output("ReserveSpace", [reserve.name])
    return activated


def _norm_parameters(
    helper: Any, x: Var, names: NormNames, decay: Any, frozen: bool
) -> dict[str, Var]:
    channels, learns = x.shape[1], not frozen
    return {
        "Scale": _vector(helper, names.scale, channels, 1.0, learns, decay),
        "Bias": _vector(helper, names.offset, channels, 0.0, learns, decay),
        "Mean": _vector(helper, names.mean, channels, 0.0, False, None),
        "Variance": _vector(helper, names.variance, channels, 1.0, False, None),
    }


def _vector(helper: Any, name: str, size: int, value: float, learns: bool, decay: Any) -> Var:
    attr = paddle.ParamAttr(
        name=name,
        initializer=paddle.nn.initializer.Constant(value),
        trainable=learns,
        regularizer=decay,
    )
    var = helper.create_parameter(attr, shape=[size], dtype="float32")
    var.stop_gradient = not learns
    return var


def group_norm(x: Var, place: str, groups: int = 32) -> Var:
    """Group normalization with parameters ``PLACE.weight`` and ``PLACE.bias``.

    Args:
        x: [N, C, H, W].
        place: where it is in the network.
        groups: fewer where C is no multiple of it.
    """
    helper = LayerHelper("group_norm")
    inputs = {
        "X": x,
        "Scale": _vector(helper, f"{place}.weight", x.shape[1], 1.0, True, no_decay()),
        "Bias": _vector(helper, f"{place}.bias", x.shape[1], 0.0, True, no_decay()),
    }
    outputs = {
        slot: helper.create_variable_for_type_inference(x.dtype, slot != "Y")
        for slot in ("Mean", "Variance", "Y")
    }
    attrs = {"groups": math.gcd(groups, x.shape[1]), "epsilon": 1e-5, "data_layout": "NCHW"}
    helper.append_op(type="group_norm", inputs=inputs, outputs=outputs, attrs=attrs)
    return outputs["Y"]
