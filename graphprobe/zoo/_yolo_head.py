"""The YOLOv3 head (https://arxiv.org/abs/1804.02767), named as in PaddleDetection 0.2 to 0.5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import paddle

from graphprobe.zoo._conv import NormNames, batch_norm, conv, no_decay, scaled
from graphprobe.zoo._emit import Var
from graphprobe.zoo._layers import concat, leaky_relu, upsample_nearest


@dataclass(frozen=True, slots=True)
class YoloHead:
    """The head's settings; the defaults are the published ones.

    Args:
        num_classes: without background.
        anchors: (width, height) in pixels of the input image.
        masks: for each scale the indices of its anchors.
        downsample: for each scale the stride of its map.
    """

    num_classes: int
    anchors: tuple[tuple[int, int], ...] = (
        (10, 13),
        (16, 30),
        (33, 23),
        (30, 61),
        (62, 45),
        (59, 119),
        (116, 90),
        (156, 198),
        (373, 326),
    )
    masks: tuple[tuple[int, ...], ...] = ((6, 7, 8), (3, 4, 5), (0, 1, 2))
    downsample: tuple[int, ...] = (32, 16, 8)

    @property
    def flat_anchors(self) -> list[int]:
        """All anchors as one list: w, h, w, h, ..."""
        return [size for anchor in self.anchors for size in anchor]

    def anchors_of(self, index: int) -> list[int]:
        """The anchors of one scale as one list."""
        return [size for mask in self.masks[index] for size in self.anchors[mask]]


def yolo_outputs(features: Sequence[Var], head: YoloHead, scale: float, train: bool) -> list[Var]:
    """The head's three maps [N, 3 * (5 + C), h, w], coarsest first.

    Args:
        features: the backbone's maps of strides 8, 16 and 32.
        head: its settings.
        scale: the width multiplier of the head's inner convolutions.
        train: whether norms use the batch's statistics.
    """
    outputs: list[Var] = []
    route = None
    for index, feature in enumerate(reversed(features)):
        x = feature if route is None else concat([route, feature], axis=1)
        route, tip = _detection_block(x, scaled(512 >> index, scale), f"yolo_block.{index}", train)
        outputs.append(_output(tip, len(head.masks[index]) * (5 + head.num_classes), index))
        if index < len(features) - 1:
            name = f"yolo_transition.{index}"
            route = _conv_norm(route, scaled(256 >> index, scale), 1, name, train)
            route = upsample_nearest(route, 2.0)
    return outputs


def _detection_block(x: Var, channels: int, name: str, train: bool) -> tuple[Var, Var]:
    """Five convolutions give the route to the next scale, a sixth the tip for the output."""
    for index in range(2):
        x = _conv_norm(x, channels, 1, f"{name}.{index}.0", train)
        x = _conv_norm(x, channels * 2, 3, f"{name}.{index}.1", train)
    route = _conv_norm(x, channels, 1, f"{name}.2", train)
    return route, _conv_norm(route, channels * 2, 3, f"{name}.tip", train)


def _conv_norm(x: Var, channels: int, kernel: int, name: str, train: bool) -> Var:
    x = conv(x, channels, kernel, weights=paddle.ParamAttr(name=f"{name}.conv.weights"))
    names = NormNames.joined(f"{name}.bn", ".scale", ".offset", ".mean", ".var")
    return leaky_relu(batch_norm(x, names, train=train, decay=no_decay()), 0.1)


def _output(tip: Var, channels: int, index: int) -> Var:
    name = f"yolo_output.{index}.conv"
    weights = paddle.ParamAttr(name=f"{name}.weights")
    bias = paddle.ParamAttr(name=f"{name}.bias", regularizer=no_decay())
    return conv(tip, channels, 1, weights=weights, bias=bias)
