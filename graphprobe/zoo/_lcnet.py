"""PP-LCNet as a backbone (https://arxiv.org/abs/2109.15099), named as in PaddleDetection 2.6."""

from __future__ import annotations

from paddle.nn.functional import hardswish
from paddle.nn.initializer import KaimingNormal

from graphprobe.zoo._conv import no_decay
from graphprobe.zoo._emit import Var
from graphprobe.zoo._placed import Filters, divisible, squeeze_excite

# stage -> of each block the kernel, the channels out, the stride, and whether channels are weighed.
STAGES = {
    2: ((3, 32, 1, False),),
    3: ((3, 64, 2, False), (3, 64, 1, False)),
    4: ((3, 128, 2, False), (3, 128, 1, False)),
    5: ((3, 256, 2, False), *((5, 256, 1, False),) * 5),
    6: ((5, 512, 2, True), (5, 512, 1, True)),
}
FEATURES = (4, 5, 6)


def lcnet(image: Var, width: float, train: bool) -> list[Var]:
    """The feature maps of strides 8, 16 and 32.

    Args:
        image: [N, 3, H, W].
        width: what channels are multiplied by.
        train: whether norms use the batch's statistics.
    """
    filters = Filters(train, KaimingNormal, no_decay())
    first = divisible(16 * width)
    place = "backbone.conv1"
    x = hardswish(filters.conv_norm(image, first, 3, f"{place}.conv", f"{place}.bn", stride=2))
    found = []
    for stage, blocks in STAGES.items():
        for index, (kernel, channels, stride, weighed) in enumerate(blocks):
            place = f"backbone.blocks{stage}.{index}"
            x = separable(
                filters, x, divisible(channels * width), kernel, place, stride, weighed=weighed
            )
        if stage in FEATURES:
            found.append(x)
    return found


def separable(
    filters: Filters,
    x: Var,
    channels: int,
    kernel: int,
    place: str,
    stride: int = 1,
    *,
    weighed: bool = False,
) -> Var:
    """A depthwise convolution, channels weighed if asked, and a pointwise one.

    Args:
        filters: how they begin.
        x: [N, C, H, W].
        channels: of the result.
        kernel: of the depthwise convolution.
        place: of the block.
        stride: of the depthwise convolution.
        weighed: whether each channel gets a factor from the means of all.
    """
    alone, name = x.shape[1], f"{place}.dw_conv"
    x = filters.conv_norm(
        x, alone, kernel, f"{name}.conv", f"{name}.bn", stride=stride, groups=alone
    )
    x = hardswish(x)
    if weighed:
        x = squeeze_excite(x, f"{place}.se")
    name = f"{place}.pw_conv"
    return hardswish(filters.conv_norm(x, channels, 1, f"{name}.conv", f"{name}.bn"))
