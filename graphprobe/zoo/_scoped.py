"""Convolutions named after their place in the network (``encoder/aspp0/weights``), as PaddleSeg."""

from __future__ import annotations

from dataclasses import dataclass

import paddle

from graphprobe.zoo._conv import NormNames, batch_norm, conv, no_decay
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import relu


@dataclass(frozen=True, slots=True)
class Scoped:
    """How one part of a network is built.

    Args:
        train: whether norms use the batch's statistics.
        epsilon: what norms add to the variance.
    """

    train: bool
    epsilon: float = 1e-5

    def conv_norm(
        self,
        x: Var,
        channels: int,
        kernel: int,
        place: str,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
    ) -> Var:
        """A convolution without bias and a batch normalization."""
        weights = paddle.ParamAttr(name=f"{place}/weights")
        x = conv(
            x, channels, kernel, weights=weights, stride=stride, dilation=dilation, groups=groups
        )
        endings = ("/gamma", "/beta", "/moving_mean", "/moving_variance")
        names = NormNames.joined(f"{place}/BatchNorm", *endings)
        return batch_norm(
            x, names, train=self.train, epsilon=self.epsilon, momentum=0.99, decay=no_decay()
        )

    def conv_relu(self, x: Var, channels: int, kernel: int, place: str, stride: int = 1) -> Var:
        """`conv_norm`, then relu."""
        return relu(self.conv_norm(x, channels, kernel, place, stride=stride))

    def separable(
        self,
        x: Var,
        channels: int,
        place: str,
        *,
        stride: int = 1,
        dilation: int = 1,
        act: bool = False,
    ) -> Var:
        """A depthwise 3x3 and a pointwise convolution, each with its norm and, if asked, relu."""
        alone = x.shape[1]
        x = self.conv_norm(
            x, alone, 3, f"{place}/depthwise", stride=stride, dilation=dilation, groups=alone
        )
        x = relu(x) if act else x
        x = self.conv_norm(x, channels, 1, f"{place}/pointwise")
        return relu(x) if act else x
