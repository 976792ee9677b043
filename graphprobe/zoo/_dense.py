"""What detectors have in common that predict at every cell of a pyramid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import paddle

from graphprobe.errors import LoadError
from graphprobe.zoo._base import Graph
from graphprobe.zoo._cells import to_image
from graphprobe.zoo._conv import scaled
from graphprobe.zoo._emit import Var
from graphprobe.zoo._fpn import PUBLISHED, pyramid
from graphprobe.zoo._layers import add_up
from graphprobe.zoo._nms import suppress
from graphprobe.zoo._resnet_2x import ResNet

# As in the published COCO configs.
DEFAULTS: dict[str, bool | int | float] = {"num_classes": 80, "scale": 1.0, "frozen": True}
# The classes' first bias: every cell starts with a score of 0.01.
PRIOR_BIAS = -math.log(99.0)
# What files of PaddleDetection hold beside a network's parameters: the numbers of the bins.
LEFT_OUT = ("head.distribution_project.project",)
Maps: TypeAlias = Callable[[Sequence[Var], int, int], tuple[list[Var], list[Var]]]


@dataclass(frozen=True)
class Head:
    """One kind of dense detector.

    Args:
        strides: of the levels, from fine to coarse.
        maps: (levels, classes, channels) -> class map and box map of each level.
        targets: () -> the inputs that training compares with.
        losses: (class maps, box maps, targets, classes) -> the terms of the loss.
        decode: (class maps, box maps, classes) -> boxes [N, M, 4] in input pixels, scores
            [N, M, C].
        nms: settings of the suppression.
        meta: what the data must know.
    """

    strides: Sequence[int]
    maps: Maps
    targets: Callable[[], tuple[Var, ...]]
    losses: Callable[[Sequence[Var], Sequence[Var], Sequence[Var], int], dict[str, Var]]
    decode: Callable[[Sequence[Var], Sequence[Var], int], tuple[Var, Var]]
    nms: Mapping[str, Any]
    meta: Mapping[str, Any]


def check(options: Mapping[str, Any]) -> None:
    """Refuse sizes whose coarser levels would not fit the finer ones."""
    size = options["size"]
    if size is not None and size % 32:
        near = max(32, round(size / 32) * 32)
        raise LoadError(f"size={size} is no multiple of 32", hint=f"take size={near}")


def build(depth: int, vd: bool, head: Head, options: Mapping[str, Any]) -> Graph:
    """Build a dense detector into the default programs.

    Args:
        depth: of the ResNet.
        vd: its variant d.
        head: what is predicted at each cell.
        options: see DEFAULTS; size is None for dynamic height and width, multiples of 32.
    """
    train = options["mode"] == "train"
    image = image_input(options)
    resnet = ResNet(depth, options["scale"], train, options["frozen"], vd)
    channels = scaled(PUBLISHED, options["scale"])
    levels = pyramid(resnet.features(image), channels)
    return detector(image, levels, channels, head, options)


def image_input(options: Mapping[str, Any]) -> Var:
    """The images, [N, 3, H, W]."""
    side = options["size"] or -1
    return paddle.static.data("image", [-1, 3, side, side], "float32")


def detector(
    image: Var,
    levels: Sequence[Var],
    channels: int,
    head: Head,
    options: Mapping[str, Any],
    left_out: Sequence[str] = LEFT_OUT,
) -> Graph:
    """What follows a neck: the head, and in mode train its loss, else its boxes.

    Args:
        image: the input.
        levels: of the neck, one for each of the head's strides.
        channels: of every level.
        head: what is predicted at each cell.
        options: mode and num_classes.
        left_out: what published files hold that the network has no parameter for.
    """
    classes = options["num_classes"]
    class_maps, box_maps = head.maps(levels, classes, channels)
    meta = {**_meta(head.strides, levels, class_maps, box_maps), **head.meta}
    meta["left_out"] = list(left_out)
    if options["mode"] != "train":
        im_size = paddle.static.data("im_size", [-1, 2], "int32")
        boxes, scores = head.decode(class_maps, box_maps, classes)
        boxes = to_image(boxes, image, im_size)
        found = suppress(boxes, paddle.transpose(scores, [0, 2, 1]), head.nms)
        return Graph((image, im_size), found, meta=meta)
    targets = head.targets()
    terms = head.losses(class_maps, box_maps, targets, classes)
    loss = add_up(list(terms.values()))
    return Graph((image, *targets), {"loss": loss, **terms}, loss, meta)


def cell_targets() -> tuple[Var, ...]:
    """The inputs of a head whose cells are told their class and box."""
    return (
        paddle.static.data("point_class", [-1, -1], "int32"),
        paddle.static.data("point_box", [-1, -1, 4], "float32"),
    )


def _meta(
    strides: Sequence[int],
    levels: Sequence[Var],
    class_maps: Sequence[Var],
    box_maps: Sequence[Var],
) -> dict[str, Any]:
    return {
        "downsample": list(strides),
        "neck": [x.name for x in levels],
        "heads": [x.name for x in (*class_maps, *box_maps)],
        # Pixels are divided by 255, then normalized.
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
        "image_scale": 1 / 255,
        "image_channels": "rgb",
    }
