"""CSPRepResNet, a backbone (https://arxiv.org/abs/2203.16250), named as in PaddleDetection 2.6."""

from __future__ import annotations

import paddle
from paddle.base.layer_helper import LayerHelper
from paddle.nn.functional import hardsigmoid, swish

from graphprobe.zoo._conv import no_decay
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import add, concat
from graphprobe.zoo._placed import Filters, average, conv_bias

CHANNELS = (64, 128, 256, 512, 1024)
BLOCKS = (3, 6, 6, 3)


def wide(channels: int, width: float) -> int:
    """A number of channels times a width, 8 at least."""
    return max(8, round(channels * width))


def deep(blocks: int, depth: float) -> int:
    """A number of blocks times a depth, 1 at least."""
    return max(1, round(blocks * depth))


def csp_resnet(image: Var, width: float, depth: float, *, weighed: bool, train: bool) -> list[Var]:
    """The feature maps of strides 8, 16 and 32.

    Args:
        image: [N, 3, H, W].
        width: what channels are multiplied by.
        depth: what numbers of blocks are multiplied by.
        weighed: whether a factor is learned for the 1x1 branch of each block.
        train: whether norms use the batch's statistics.
    """
    blocks = Blocks(train)
    first, *stages = (wide(channels, width) for channels in CHANNELS)
    x = blocks.layer(image, first // 2, 3, "backbone.stem.conv1", stride=2)
    x = blocks.layer(x, first // 2, 3, "backbone.stem.conv2")
    x = blocks.layer(x, first, 3, "backbone.stem.conv3")
    found = []
    for stage, channels in enumerate(stages):
        x = _stage(
            blocks, x, channels, deep(BLOCKS[stage], depth), f"backbone.stages.{stage}", weighed
        )
        found.append(x)
    return found[1:]


def _stage(blocks: Blocks, x: Var, channels: int, count: int, place: str, weighed: bool) -> Var:
    middle = (x.shape[1] + channels) // 2
    x = blocks.layer(x, middle, 3, f"{place}.conv_down", stride=2)
    beside = blocks.layer(x, middle // 2, 1, f"{place}.conv1")
    x = blocks.layer(x, middle // 2, 1, f"{place}.conv2")
    for index in range(count):
        x = add(x, blocks.basic(x, middle // 2, f"{place}.blocks.{index}", weighed))
    x = concat([beside, x], 1)
    x = x * hardsigmoid(conv_bias(average(x), x.shape[1], f"{place}.attn.fc"))
    return blocks.layer(x, channels, 1, f"{place}.conv3")


class Blocks:
    """The layers that backbone and neck are made of.

    Args:
        train: whether norms use the batch's statistics.
    """

    def __init__(self, train: bool) -> None:
        self._filters = Filters(train, decay=no_decay())

    def layer(
        self, x: Var, channels: int, kernel: int, place: str, stride: int = 1, act: bool = True
    ) -> Var:
        """A convolution, its norm and, unless told otherwise, swish."""
        x = self._filters.conv_norm(
            x, channels, kernel, f"{place}.conv", f"{place}.bn", stride=stride
        )
        return swish(x) if act else x

    def basic(self, x: Var, channels: int, place: str, weighed: bool = False) -> Var:
        """A 3x3 convolution, then one beside a 1x1 of the same input (RepVGG)."""
        x = self.layer(x, channels, 3, f"{place}.conv1")
        place = f"{place}.conv2"
        large = self.layer(x, channels, 3, f"{place}.conv1", act=False)
        small = self.layer(x, channels, 1, f"{place}.conv2", act=False)
        if weighed:
            attr = paddle.ParamAttr(
                name=f"{place}.alpha", initializer=paddle.nn.initializer.Constant(1.0)
            )
            small = small * LayerHelper("alpha").create_parameter(attr, shape=[1], dtype="float32")
        return swish(add(large, small))
