"""A feature pyramid of five levels and the towers that all of them share (PaddleDetection 2.x)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import paddle
from paddle.nn.initializer import Constant, Normal, XavierUniform

from graphprobe.zoo._conv import conv, group_norm
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import add, relu, upsample_nearest

STRIDES = (8, 16, 32, 64, 128)
PUBLISHED = 256  # channels of a level at scale 1
LATERALS = ("fpn_inner_res3_sum_lateral", "fpn_inner_res4_sum_lateral", "fpn_inner_res5_sum")


def pyramid(features: Sequence[Var], channels: int) -> list[Var]:
    """Levels P3 to P7 [N, channels, H / s, W / s] of the strides s in STRIDES.

    Args:
        features: the backbone's maps of strides 8, 16 and 32 (https://arxiv.org/abs/1612.03144).
        channels: of every level.
    """
    around = channels * 9
    laterals = [
        _conv(x, channels, 1, f"neck.{name}", fan_out=x.shape[1])
        for x, name in zip(features, LATERALS, strict=True)
    ]
    for index in (1, 0):
        laterals[index] = add(laterals[index], upsample_nearest(laterals[index + 1], 2.0))
    levels = [
        _conv(x, channels, 3, f"neck.fpn_res{index}_sum", fan_out=around)
        for index, x in enumerate(laterals, 3)
    ]
    levels.append(_conv(levels[-1], channels, 3, "neck.fpn_6", fan_out=around, stride=2))
    levels.append(_conv(relu(levels[-1]), channels, 3, "neck.fpn_7", fan_out=around, stride=2))
    return levels


def _conv(x: Var, channels: int, kernel: int, place: str, *, fan_out: int, stride: int = 1) -> Var:
    weights = paddle.ParamAttr(name=f"{place}.weight", initializer=XavierUniform(fan_out=fan_out))
    bias = paddle.ParamAttr(name=f"{place}.bias")
    return conv(x, channels, kernel, weights=weights, bias=bias, stride=stride)


def tower(x: Var, channels: int, kind: str, norm: bool) -> Var:
    """Four 3x3 convolutions with relu; every level that passes through shares their filters.

    Args:
        x: one level.
        channels: of every convolution.
        kind: ``cls`` or ``reg``.
        norm: whether each relu follows a group normalization.
    """
    for index in range(4):
        place = f"head.conv_feat.fcos_head_{kind}_tower_conv_{index}"
        x = head_conv(x, channels, f"{place}.conv", bias_rate=2.0)
        x = relu(group_norm(x, f"{place}.norm") if norm else x)
    return x


def head_conv(
    x: Var, channels: int, place: str, *, bias: float = 0.0, bias_rate: float = 1.0
) -> Var:
    """A 3x3 convolution of a head, first weights from a narrow normal distribution.

    Its deviation is 0.01 at the published 256 channels and grows as they get fewer, so that a
    tower of any width lets as much of the signal through.

    Args:
        x: [N, C, h, w].
        channels: C of the result.
        place: its parameters are ``PLACE.weight`` and ``PLACE.bias``.
        bias: the first value of the bias.
        bias_rate: the bias's learning rate over that of the weights.
    """
    first = Normal(0.0, 0.01 * (PUBLISHED / x.shape[1]) ** 0.5)
    weights = paddle.ParamAttr(name=f"{place}.weight", initializer=first)
    offset: Any = paddle.ParamAttr(
        name=f"{place}.bias", initializer=Constant(bias), learning_rate=bias_rate
    )
    return conv(x, channels, 3, weights=weights, bias=offset)
