"""Convolutions and norms that are named after their place in the network (PaddleDetection 2.x)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import paddle
from paddle.nn.functional import adaptive_avg_pool2d, hardsigmoid

from graphprobe.zoo._conv import NormNames, batch_norm, conv
from graphprobe.zoo._emit import Var


def divisible(channels: float) -> int:
    """The nearest multiple of 8 that is no less than nine tenths of it, 8 at least."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found


@dataclass(frozen=True, slots=True)
class Filters:
    """How the filters and the norms of one part of a network begin and learn.

    Args:
        train: whether norms use the batch's statistics.
        first: makes the initializer of a filter; None for Paddle's own.
        decay: the regularizer of norms; None for that of the optimizer.
    """

    train: bool
    first: Any = None
    decay: Any = None

    def conv_norm(
        self,
        x: Var,
        channels: int,
        kernel: int,
        filters: str,
        norm: str,
        *,
        stride: int = 1,
        groups: int = 1,
    ) -> Var:
        """A convolution without bias and a batch normalization.

        Args:
            x: [N, C, H, W].
            channels: of the result.
            kernel: its height and width.
            filters: the parameter is ``FILTERS.weight``.
            norm: its parameters are ``NORM.weight``, ``NORM.bias`` and so on.
            stride: of the convolution.
            groups: of the convolution.
        """
        first = self.first() if self.first else None
        weights = paddle.ParamAttr(name=f"{filters}.weight", initializer=first)
        x = conv(x, channels, kernel, weights=weights, stride=stride, groups=groups)
        names = NormNames.joined(norm, ".weight", ".bias", "._mean", "._variance")
        return batch_norm(x, names, train=self.train, decay=self.decay)


def conv_bias(x: Var, channels: int, place: str, *, first: Any = None, bias: Any = None) -> Var:
    """A 1x1 convolution with the parameters ``PLACE.weight`` and ``PLACE.bias``."""
    weights, offset = named(place, first, bias)
    return conv(x, channels, 1, weights=weights, bias=offset)


def named(place: str, first: Any, bias: Any) -> tuple[Any, Any]:
    """What a filter and its bias are called and how they begin."""
    weights = paddle.ParamAttr(name=f"{place}.weight", initializer=first)
    return weights, paddle.ParamAttr(name=f"{place}.bias", initializer=bias)


def average(x: Var) -> Var:
    """[N, C, H, W] -> [N, C, 1, 1]: the mean of each map."""
    return adaptive_avg_pool2d(x, 1)


def squeeze_excite(x: Var, place: str) -> Var:
    """Each channel times a factor from the means of all (https://arxiv.org/abs/1709.01507)."""
    few = conv_bias(average(x), x.shape[1] // 4, f"{place}.conv1")
    factor = conv_bias(paddle.nn.functional.relu(few), x.shape[1], f"{place}.conv2")
    return x * hardsigmoid(factor)
