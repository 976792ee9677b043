"""MobileNetV2 with output stride 16 (https://arxiv.org/abs/1801.04381), named as in PaddleSeg."""

from __future__ import annotations

import paddle

from graphprobe.zoo._conv import NormNames, batch_norm, conv, scaled
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import add, relu6

# expansion, channels, blocks, stride of the first block; a stride that would leave less than
# one 16th of the image is 1.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 1),
    (6, 320, 1, 1),
)


def mobilenet_v2(image: Var, scale: float, train: bool) -> Var:
    """The last map, of stride 16.

    Args:
        image: [N, 3, H, W].
        scale: the width multiplier.
        train: whether norms use the batch's statistics.
    """
    x = relu6(_conv_norm(image, scaled(32, scale), 3, "conv1_1", train, stride=2))
    for index, (expansion, channels, blocks, stride) in enumerate(STAGES):
        for block in range(blocks):
            name = f"conv{index + 2}_{block + 1}"
            step = stride if block == 0 else 1
            out = _inverted_residual(x, expansion, scaled(channels, scale), step, name, train)
            x = out if block == 0 else add(x, out)
    return x


def _inverted_residual(
    x: Var, expansion: int, channels: int, stride: int, name: str, train: bool
) -> Var:
    """Widen, convolve each channel by itself, narrow."""
    wide = x.shape[1] * expansion
    x = relu6(_conv_norm(x, wide, 1, f"{name}_expand", train))
    x = relu6(_conv_norm(x, wide, 3, f"{name}_dwise", train, stride=stride, groups=wide))
    return _conv_norm(x, channels, 1, f"{name}_linear", train)


def _conv_norm(
    x: Var, channels: int, kernel: int, name: str, train: bool, stride: int = 1, groups: int = 1
) -> Var:
    weights = paddle.ParamAttr(name=f"{name}_weights")
    x = conv(x, channels, kernel, weights=weights, stride=stride, groups=groups)
    return batch_norm(x, NormNames.joined(f"{name}_bn"), train=train)
