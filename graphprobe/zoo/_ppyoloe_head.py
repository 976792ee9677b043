"""The head of PP-YOLOE (https://arxiv.org/abs/2203.16250), `PPYOLOEHead` of PaddleDetection 2.6."""

from __future__ import annotations

from collections.abc import Sequence

from paddle.nn.functional import sigmoid, swish
from paddle.nn.initializer import Constant, Normal

from graphprobe.zoo._conv import conv, no_decay
from graphprobe.zoo._dense import PRIOR_BIAS
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import add
from graphprobe.zoo._placed import Filters, average, conv_bias, named

BINS = 17


def ppyoloe_maps(levels: Sequence[Var], classes: int, train: bool) -> tuple[list[Var], list[Var]]:
    """Scores [N, C, h, w] and bins [N, 4 * 17, h, w] of each level.

    Args:
        levels: of the neck; each has filters of its own.
        classes: C.
        train: whether norms use the batch's statistics.
    """
    scores, bins = [], []
    for level, x in enumerate(levels):
        means = average(x)
        looked = add(_weighed(x, means, f"yolo_head.stem_cls.{level}", train), x)
        logits = _last(looked, classes, f"yolo_head.pred_cls.{level}", PRIOR_BIAS)
        scores.append(sigmoid(logits))
        looked = _weighed(x, means, f"yolo_head.stem_reg.{level}", train)
        bins.append(_last(looked, 4 * BINS, f"yolo_head.pred_reg.{level}", 1.0))
    return scores, bins


def _weighed(x: Var, means: Var, place: str, train: bool) -> Var:
    """Each channel times a factor from the means of all, then a pointwise convolution."""
    factor = sigmoid(conv_bias(means, x.shape[1], f"{place}.fc", first=Normal(std=0.001)))
    filters = Filters(train, decay=no_decay())
    return swish(
        filters.conv_norm(x * factor, x.shape[1], 1, f"{place}.conv.conv", f"{place}.conv.bn")
    )


def _last(x: Var, channels: int, place: str, bias: float) -> Var:
    """A 3x3 convolution whose filters begin with zeros."""
    weights, offset = named(place, Constant(0.0), Constant(bias))
    return conv(x, channels, 3, weights=weights, bias=offset)
