"""The head of PicoDet (https://arxiv.org/abs/2111.00902), `PicoHeadV2` of PaddleDetection 2.6.

A cell's score is the geometric mean of its class's probability and of one for all classes, which
is trained to say how well the two tasks agree there; boxes are distributions over 8 bins.
"""

from __future__ import annotations

from collections.abc import Sequence

import paddle
from paddle.nn.functional import hardswish, sigmoid
from paddle.nn.initializer import Constant, KaimingUniform, Normal

from graphprobe.zoo._conv import no_decay
from graphprobe.zoo._dense import PRIOR_BIAS
from graphprobe.zoo._emit import Var
from graphprobe.zoo._lcpan import KERNEL, depthwise_pointwise
from graphprobe.zoo._placed import Filters, average, conv_bias

BINS = 8


def pico_maps(
    levels: Sequence[Var], classes: int, depth: int, train: bool
) -> tuple[list[Var], list[Var]]:
    """Scores [N, C, h, w] and bins [N, 4 * 8, h, w] of each level.

    Args:
        levels: of the neck; each has filters of its own.
        classes: C.
        depth: pairs of a depthwise and a pointwise convolution before a level's outputs.
        train: whether norms use the batch's statistics.
    """
    narrow = Normal(std=0.01)
    scores, bins = [], []
    for level, x in enumerate(levels):
        looked = _tower(x, level, depth, train)
        weighed = _weighed(looked, f"head.conv_feat.se.{level}", train)
        logits = conv_bias(
            weighed, classes, f"head.head_cls{level}", first=narrow, bias=Constant(PRIOR_BIAS)
        )
        bins.append(
            conv_bias(weighed, 4 * BINS, f"head.head_reg{level}", first=narrow, bias=Constant(0.0))
        )
        align = depthwise_pointwise(
            Filters(train, KaimingUniform), looked, 1, f"head.cls_align.{level}", act=False
        )
        scores.append(paddle.sqrt(sigmoid(logits) * sigmoid(align) + 1e-9))
    return scores, bins


def _tower(x: Var, level: int, depth: int, train: bool) -> Var:
    filters = Filters(train, lambda: Normal(std=0.01), no_decay())
    for index in range(depth):
        for kind, kernel, groups in (("dw", KERNEL, x.shape[1]), ("pw", 1, 1)):
            place = f"head.conv_feat.cls_conv_{kind}{level}.{index}"
            x = hardswish(
                filters.conv_norm(
                    x, x.shape[1], kernel, f"{place}.conv", f"{place}.norm", groups=groups
                )
            )
    return x


def _weighed(x: Var, place: str, train: bool) -> Var:
    """Each channel times a factor from the means of all, then a pointwise convolution."""
    factor = sigmoid(conv_bias(average(x), x.shape[1], f"{place}.fc", first=Normal(std=0.001)))
    filters = Filters(train, lambda: Normal(std=0.01), no_decay())
    x = filters.conv_norm(x * factor, x.shape[1], 1, f"{place}.conv.conv", f"{place}.conv.norm")
    return hardswish(x)
