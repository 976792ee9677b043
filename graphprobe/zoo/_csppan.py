"""The neck of PP-YOLOE (https://arxiv.org/abs/2203.16250), named as in PaddleDetection 2.6."""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.zoo._cspresnet import Blocks, deep, wide
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import concat, pool, upsample_nearest

STRIDES = (32, 16, 8)
CHANNELS = (768, 384, 192)
BLOCKS = 3
POOLS = (5, 9, 13)


def csp_pan(features: Sequence[Var], width: float, depth: float, train: bool) -> list[Var]:
    """Levels of strides 32, 16 and 8, with CHANNELS times the width.

    Args:
        features: the backbone's maps of strides 8, 16 and 32.
        width: what channels are multiplied by.
        depth: what numbers of blocks are multiplied by.
        train: whether norms use the batch's statistics.
    """
    blocks, count = Blocks(train), deep(BLOCKS, depth)
    channels = [wide(each, width) for each in CHANNELS]
    fine: list[Var] = []
    for index, x in enumerate(reversed(features)):
        if index:
            route = blocks.layer(
                fine[-1], channels[index - 1] // 2, 1, f"neck.fpn_routes.{index - 1}"
            )
            x = concat([upsample_nearest(route, 2.0), x], 1)
        place = f"neck.fpn_stages.{index}.0"
        fine.append(_stage(blocks, x, channels[index], count, place, pools=index == 0))
    levels = [fine[-1]]
    for index in range(len(channels) - 2, -1, -1):
        down = blocks.layer(levels[0], channels[index + 1], 3, f"neck.pan_routes.{index}", stride=2)
        x = concat([down, fine[index]], 1)
        levels.insert(0, _stage(blocks, x, channels[index], count, f"neck.pan_stages.{index}.0"))
    return levels


def _stage(
    blocks: Blocks, x: Var, channels: int, count: int, place: str, *, pools: bool = False
) -> Var:
    """Blocks of half of the channels, beside a convolution; largest values around, if asked."""
    middle = channels // 2
    beside = blocks.layer(x, middle, 1, f"{place}.conv1")
    x = blocks.layer(x, middle, 1, f"{place}.conv2")
    for index in range(count):
        x = blocks.basic(x, middle, f"{place}.convs.{index}")
        if pools and index == (count - 1) // 2:
            around = [pool(x, side, 1, side // 2) for side in POOLS]
            x = blocks.layer(concat([x, *around], 1), middle, 1, f"{place}.convs.spp.conv")
    return blocks.layer(concat([beside, x], 1), channels, 1, f"{place}.conv3")
