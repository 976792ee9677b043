"""ResNets of PaddleDetection 2.x, whose parameters are named by their place in the network."""

from __future__ import annotations

from dataclasses import dataclass

import paddle

from graphprobe.zoo._conv import NormNames, batch_norm, conv, no_decay, scaled
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import add, pool, relu

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
CHANNELS = (64, 128, 256, 512)


@dataclass(frozen=True, slots=True)
class ResNet:
    """How one is built.

    Args:
        depth: 18 (two 3x3 convolutions a block), 50 or 101 (1x1, 3x3, 1x1).
        scale: the width multiplier.
        train: whether norms use the batch's statistics.
        frozen: as published: norms, first convolutions and first stage keep their pretrained
            values; without pretrained weights that leaves random ones, so turn it off there.
        vd: variant d: three 3x3 convolutions first, and shortcuts that average before a
            convolution of stride 1.
    """

    depth: int
    scale: float
    train: bool
    frozen: bool
    vd: bool = False

    def features(self, image: Var) -> list[Var]:
        """[N, 3, H, W] -> the maps of strides 8, 16 and 32."""
        x = pool(self._stem(image), 3, 2, 1)
        found = []
        for stage, (blocks, channels) in enumerate(zip(BLOCKS[self.depth], CHANNELS, strict=True)):
            for index in range(blocks):
                place = f"backbone.res{stage + 2}.{_block_name(stage + 2, blocks, index)}"
                stride = 2 if index == 0 and stage > 0 else 1
                x = self._block(x, scaled(channels, self.scale), stride, place, index == 0)
            if stage > 0:
                found.append(x)
        return found

    def _stem(self, x: Var) -> Var:
        wide = scaled(64, self.scale)
        if not self.vd:
            return relu(self._conv_norm(x, wide, 7, "backbone.conv1.conv1", stride=2))
        for index, channels in enumerate((scaled(32, self.scale),) * 2 + (wide,), 1):
            stride = 2 if index == 1 else 1
            place = f"backbone.conv1.conv1_{index}"
            x = relu(self._conv_norm(x, channels, 3, place, stride=stride))
        return x

    def _block(self, x: Var, channels: int, stride: int, place: str, first: bool) -> Var:
        if self.depth < 50:
            inner = relu(self._conv_norm(x, channels, 3, f"{place}.branch2a", stride=stride))
            inner = self._conv_norm(inner, channels, 3, f"{place}.branch2b")
        else:
            inner = relu(self._conv_norm(x, channels, 1, f"{place}.branch2a"))
            inner = relu(self._conv_norm(inner, channels, 3, f"{place}.branch2b", stride=stride))
            inner = self._conv_norm(inner, channels * 4, 1, f"{place}.branch2c")
        short = self._shortcut(x, inner.shape[1], stride, f"{place}.short") if first else x
        return add(inner, short, act="relu")

    def _shortcut(self, x: Var, channels: int, stride: int, place: str) -> Var:
        if self.vd and stride == 2:
            average = pool(x, 2, 2, 0, kind="avg", ceil=True)
            return self._conv_norm(average, channels, 1, f"{place}.conv")
        return self._conv_norm(x, channels, 1, place, stride=stride)

    def _conv_norm(self, x: Var, channels: int, kernel: int, place: str, stride: int = 1) -> Var:
        still = self.frozen and place.startswith(("backbone.conv1.", "backbone.res2."))
        weights = paddle.ParamAttr(name=f"{place}.conv.weight", trainable=not still)
        x = conv(x, channels, kernel, weights=weights, stride=stride)
        return batch_norm(
            x,
            NormNames.joined(f"{place}.norm", ".weight", ".bias", "._mean", "._variance"),
            train=self.train,
            decay=no_decay(),
            frozen=self.frozen,
        )


def _block_name(stage: int, blocks: int, index: int) -> str:
    """res4a, res4b, ...; in the long stage of ResNet-101 res4a, res4b1, res4b2, ..."""
    if stage == 4 and blocks > 10:
        return "res4a" if index == 0 else f"res4b{index}"
    return f"res{stage}{'abcdef'[index]}"
