"""Xception-65 with output stride 16 (https://arxiv.org/abs/1802.02611), named as in PaddleSeg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphprobe.zoo._conv import scaled
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import relu
from graphprobe.zoo._scoped import Scoped

MIDDLE_BLOCKS = 16


@dataclass(frozen=True, slots=True)
class SeparableBlock:
    """Three separable convolutions.

    Args:
        place: its name.
        channels: of the three.
        stride: of the third.
        dilation: of all.
        skip: ``conv``, ``identity`` or ``none``: what is added to the result.
        act: relu after each convolution instead of before each separable one.
    """

    place: str
    channels: tuple[int, int, int]
    stride: int = 1
    dilation: int = 1
    skip: str = "identity"
    act: bool = False


def xception65(image: Var, scale: float, train: bool) -> tuple[Var, Var]:
    """The last map, of stride 16, and the second entry block's map of stride 4.

    Args:
        image: [N, 3, H, W].
        scale: the width multiplier.
        train: whether norms use the batch's statistics.
    """
    layers = Scoped(train, epsilon=1e-3)
    x = layers.conv_relu(image, scaled(32, scale), 3, "xception_65/entry_flow/conv1", stride=2)
    x = layers.conv_relu(x, scaled(64, scale), 3, "xception_65/entry_flow/conv2")
    shortcut = None
    for block in _blocks():
        x, inner = _build(layers, x, block, scale)
        if block.place == "entry_flow/block2":
            shortcut = inner
    return x, shortcut


def _blocks() -> Sequence[SeparableBlock]:
    entry = [
        SeparableBlock(f"entry_flow/block{i}", (c, c, c), stride=2, skip="conv")
        for i, c in enumerate((128, 256, 728), 1)
    ]
    middle = [
        SeparableBlock(f"middle_flow/block{i + 1}", (728, 728, 728)) for i in range(MIDDLE_BLOCKS)
    ]
    return [
        *entry,
        *middle,
        SeparableBlock("exit_flow/block1", (728, 1024, 1024), skip="conv"),
        SeparableBlock("exit_flow/block2", (1536, 1536, 2048), dilation=2, skip="none", act=True),
    ]


def _build(layers: Scoped, x: Var, block: SeparableBlock, scale: float) -> tuple[Var, Var]:
    """The block's result and its second convolution's map, which still has the input's size."""
    start, place = x, f"xception_65/{block.place}"
    maps = []
    for index, channels in enumerate(scaled(c, scale) for c in block.channels):
        x = layers.separable(
            x if block.act else relu(x),
            channels,
            f"{place}/separable_conv{index + 1}",
            stride=block.stride if index == 2 else 1,
            dilation=block.dilation,
            act=block.act,
        )
        maps.append(x)
    if block.skip == "none":
        return x, maps[1]
    if block.skip == "conv":
        start = layers.conv_norm(start, x.shape[1], 1, f"{place}/shortcut", stride=block.stride)
    return x + start, maps[1]
