"""The neck of PicoDet (https://arxiv.org/abs/2111.00902), named as in PaddleDetection 2.6.

Levels of strides 8, 16 and 32 are mixed from coarse to fine and back; a fourth of stride 64 is made
of the coarsest before and after that.
"""

from __future__ import annotations

from collections.abc import Sequence

from paddle.nn.functional import hardswish
from paddle.nn.initializer import KaimingNormal, KaimingUniform

from graphprobe.zoo._conv import no_decay
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import add, concat, upsample_nearest
from graphprobe.zoo._lcnet import separable
from graphprobe.zoo._placed import Filters

STRIDES = (8, 16, 32, 64)
KERNEL = 5


def lcpan(features: Sequence[Var], channels: int, train: bool) -> list[Var]:
    """Levels [N, channels, H / s, W / s] of the strides s in STRIDES.

    Args:
        features: the backbone's maps of strides 8, 16 and 32.
        channels: of every level.
        train: whether norms use the batch's statistics.
    """
    filters = Filters(train, KaimingUniform)
    maps = [
        hardswish(filters.conv_norm(x, channels, 1, f"{place}.conv", f"{place}.bn"))
        for x, place in ((x, f"neck.conv_t.convs.{index}") for index, x in enumerate(features))
    ]
    fine = [maps[-1]]
    for index, low in enumerate(maps[-2::-1]):
        both = concat([upsample_nearest(fine[0], 2.0), low], 1)
        fine.insert(0, _mix(both, channels, f"neck.top_down_blocks.{index}", train))
    levels = [fine[0]]
    for index, high in enumerate(fine[1:]):
        down = depthwise_pointwise(filters, levels[-1], channels, f"neck.downsamples.{index}", 2)
        both = concat([down, high], 1)
        levels.append(_mix(both, channels, f"neck.bottom_up_blocks.{index}", train))
    top = depthwise_pointwise(filters, maps[-1], channels, "neck.first_top_conv", 2)
    again = depthwise_pointwise(filters, levels[-1], channels, "neck.second_top_conv", 2)
    return [*levels, add(top, again)]


def _mix(x: Var, channels: int, place: str, train: bool) -> Var:
    """[N, 2 * channels, h, w] -> [N, channels, h, w] by two blocks as the backbone has them."""
    filters = Filters(train, KaimingNormal, no_decay())
    x = separable(filters, x, 2 * channels, KERNEL, f"{place}.0")
    return separable(filters, x, channels, KERNEL, f"{place}.1")


def depthwise_pointwise(
    filters: Filters, x: Var, channels: int, place: str, stride: int = 1, *, act: bool = True
) -> Var:
    """A 5x5 convolution in as many groups as it has channels out, and a pointwise one.

    Args:
        filters: how they begin.
        x: [N, C, H, W].
        channels: of both convolutions.
        place: of the block.
        stride: of the first.
        act: whether the second, too, ends with an activation.
    """
    x = filters.conv_norm(
        x, channels, KERNEL, f"{place}.dwconv", f"{place}.bn1", stride=stride, groups=channels
    )
    x = filters.conv_norm(hardswish(x), channels, 1, f"{place}.pwconv", f"{place}.bn2")
    return hardswish(x) if act else x
