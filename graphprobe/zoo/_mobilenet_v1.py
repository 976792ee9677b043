"""MobileNetV1 as a backbone (https://arxiv.org/abs/1704.04861), named as in PaddleDetection."""

from __future__ import annotations

import paddle

from graphprobe.zoo._conv import NormNames, batch_norm, conv, no_decay, scaled
from graphprobe.zoo._emit import Var

# name, channels out, stride; each is a depthwise and a pointwise convolution.
BLOCKS = (
    ("conv2_1", 64, 1),
    ("conv2_2", 128, 2),
    ("conv3_1", 128, 1),
    ("conv3_2", 256, 2),
    ("conv4_1", 256, 1),
    ("conv4_2", 512, 2),
    ("conv5_1", 512, 1),
    ("conv5_2", 512, 1),
    ("conv5_3", 512, 1),
    ("conv5_4", 512, 1),
    ("conv5_5", 512, 1),
    ("conv5_6", 1024, 2),
    ("conv6", 1024, 1),
)
FEATURES = ("conv3_2", "conv4_2", "conv6")


def mobilenet_v1(image: Var, scale: float, train: bool) -> list[Var]:
    """The feature maps of strides 8, 16 and 32.

    Args:
        image: [N, 3, H, W].
        scale: the width multiplier.
        train: whether norms use the batch's statistics.
    """
    x = _conv_norm(image, scaled(32, scale), 3, "conv1", train, stride=2)
    found = []
    for name, channels, stride in BLOCKS:
        x = _conv_norm(x, x.shape[1], 3, f"{name}_dw", train, stride=stride, groups=x.shape[1])
        x = _conv_norm(x, scaled(channels, scale), 1, f"{name}_sep", train)
        if name in FEATURES:
            found.append(x)
    return found


def _conv_norm(
    x: Var, channels: int, kernel: int, name: str, train: bool, stride: int = 1, groups: int = 1
) -> Var:
    weights = paddle.ParamAttr(
        name=f"{name}_weights",
        initializer=paddle.nn.initializer.KaimingUniform(),
        regularizer=no_decay(),
    )
    x = conv(x, channels, kernel, weights=weights, stride=stride, groups=groups)
    return batch_norm(x, NormNames.joined(f"{name}_bn"), train=train, act="relu", decay=no_decay())
