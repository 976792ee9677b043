"""ResNet of basic blocks (https://arxiv.org/abs/1512.03385), named as in PaddleDetection."""

from __future__ import annotations

import paddle

from graphprobe.zoo._conv import NormNames, batch_norm, conv, no_decay, scaled
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import add, pool

# stage -> (blocks, channels) of the 34-layer network
STAGES = {2: (3, 64), 3: (4, 128), 4: (6, 256), 5: (3, 512)}


def resnet34(image: Var, scale: float, train: bool) -> list[Var]:
    """The feature maps of strides 8, 16 and 32 (stages 3, 4 and 5).

    Args:
        image: [N, 3, H, W].
        scale: the width multiplier.
        train: whether norms use the batch's statistics.
    """
    x = _conv_norm(image, scaled(64, scale), 7, "conv1", train, stride=2, act="relu")
    x = pool(x, 3, 2, 1)
    found = []
    for stage, (blocks, channels) in STAGES.items():
        for index in range(blocks):
            name = f"res{stage}{'abcdef'[index]}"
            stride = 2 if index == 0 and stage > 2 else 1
            x = _basic_block(x, scaled(channels, scale), stride, name, index == 0, train)
        if stage > 2:
            found.append(x)
    return found


def _basic_block(x: Var, channels: int, stride: int, name: str, first: bool, train: bool) -> Var:
    """Two 3x3 convolutions beside a shortcut, which the first block of a stage convolves."""
    inner = _conv_norm(x, channels, 3, f"{name}_branch2a", train, stride=stride, act="relu")
    inner = _conv_norm(inner, channels, 3, f"{name}_branch2b", train)
    if first:
        x = _conv_norm(x, channels, 1, f"{name}_branch1", train, stride=stride)
    return add(x, inner, act="relu")


def _conv_norm(
    x: Var,
    channels: int,
    kernel: int,
    name: str,
    train: bool,
    stride: int = 1,
    act: str | None = None,
) -> Var:
    weights = paddle.ParamAttr(name=f"{name}_weights")
    outputs = f"{name}.conv2d.output.1"
    x = conv(x, channels, kernel, weights=weights, stride=stride, name=outputs)
    norm = "bn_conv1" if name == "conv1" else f"bn{name.removeprefix('res')}"
    names = NormNames.joined(norm)
    return batch_norm(x, names, train=train, act=act, name=f"{norm}.output.1", decay=no_decay())
