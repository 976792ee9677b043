"""DeepLabv3+ (https://arxiv.org/abs/1802.02611) around a backbone, named as in PaddleSeg."""

from __future__ import annotations

import paddle

from graphprobe.zoo._conv import conv, scaled
from graphprobe.zoo._emit import Var, emit
from graphprobe.zoo._layers import concat, dropout, resize_bilinear
from graphprobe.zoo._scoped import Scoped

# Dilations of the parallel convolutions at output stride 16.
DILATIONS = (6, 12, 18)


def aspp(x: Var, scale: float, train: bool) -> Var:
    """Atrous spatial pyramid pooling: five parallel views of a map, joined: [N, 256, h, w].

    Args:
        x: the backbone's last map.
        scale: the width multiplier.
        train: whether norms use the batch's statistics and dropout drops.
    """
    layers, channels = Scoped(train), scaled(256, scale)
    average = emit("reduce_mean", {"X": x}, {"dim": [2, 3], "keep_dim": True, "reduce_all": False})
    average = layers.conv_relu(average, channels, 1, "encoder/image_pool")
    views = [resize_bilinear(average, x), layers.conv_relu(x, channels, 1, "encoder/aspp0")]
    for index, dilation in enumerate(DILATIONS, 1):
        place = f"encoder/aspp{index}"
        views.append(layers.separable(x, channels, place, dilation=dilation, act=True))
    joined = layers.conv_relu(concat(views, axis=1), channels, 1, "encoder/concat")
    return dropout(joined, 0.9, train)


def decoder(x: Var, shortcut: Var, scale: float, train: bool) -> Var:
    """Join the encoder's map with the backbone's finer one: [N, 256, 4 h, 4 w].

    Args:
        x: from `aspp`.
        shortcut: the backbone's map of stride 4.
        scale: the width multiplier.
        train: whether norms use the batch's statistics.
    """
    layers, channels = Scoped(train), scaled(256, scale)
    shortcut = layers.conv_relu(shortcut, scaled(48, scale), 1, "decoder/concat")
    x = concat([resize_bilinear(x, shortcut), shortcut], axis=1)
    for index in (1, 2):
        x = layers.separable(x, channels, f"decoder/separable_conv{index}", act=True)
    return x


def logits(x: Var, num_classes: int, image: Var) -> Var:
    """One map a class, at the image's size: [N, C, H, W]."""
    bias = paddle.ParamAttr(name="logit/biases", initializer=paddle.nn.initializer.Constant(0.0))
    weights = paddle.ParamAttr(name="logit/weights")
    return resize_bilinear(conv(x, num_classes, 1, weights=weights, bias=bias), image)
