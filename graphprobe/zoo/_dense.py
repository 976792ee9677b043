"""What detectors have in common that predict at every cell of a pyramid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import paddle

from graphprobe.errors import LoadError
from graphprobe.zoo._base import Graph
from graphprobe.zoo._conv import scaled
from graphprobe.zoo._emit import Var, emit
from graphprobe.zoo._fpn import PUBLISHED, STRIDES, pyramid
from graphprobe.zoo._layers import add_up
from graphprobe.zoo._nms import suppress
from graphprobe.zoo._resnet_2x import ResNet

# As in the published COCO configs.
DEFAULTS: dict[str, bool | int | float] = {"num_classes": 80, "scale": 1.0, "frozen": True}
# The classes' first bias: every cell starts with a score of 0.01.
PRIOR_BIAS = -math.log(99.0)


@dataclass(frozen=True)
class Head:
    """One kind of dense detector.

    Args:
        maps: (levels, classes, channels) -> class map and box map of each level.
        targets: (classes) -> the inputs that training compares with.
        losses: (class maps, box maps, targets, classes) -> the terms of the loss.
        decode: (class maps, box maps, classes) -> boxes [N, M, 4] in input pixels, scores
            [N, M, C].
        nms: settings of the suppression.
        meta: what the data must know.
    """

    maps: Callable[[Sequence[Var], int, int], tuple[list[Var], list[Var]]]
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
    train, classes = options["mode"] == "train", options["num_classes"]
    side = options["size"] or -1
    image = paddle.static.data("image", [-1, 3, side, side], "float32")
    resnet = ResNet(depth, options["scale"], train, options["frozen"], vd)
    channels = scaled(PUBLISHED, options["scale"])
    levels = pyramid(resnet.features(image), channels)
    class_maps, box_maps = head.maps(levels, classes, channels)
    meta = {**_meta(levels, class_maps, box_maps), **head.meta}
    if not train:
        im_size = paddle.static.data("im_size", [-1, 2], "int32")
        boxes, scores = head.decode(class_maps, box_maps, classes)
        boxes = _to_image(boxes, image, im_size)
        found = suppress(boxes, paddle.transpose(scores, [0, 2, 1]), head.nms)
        return Graph((image, im_size), found, meta=meta)
    targets = head.targets()
    terms = head.losses(class_maps, box_maps, targets, classes)
    loss = add_up(list(terms.values()))
    return Graph((image, *targets), {"loss": loss, **terms}, loss, meta)


def _meta(
    levels: Sequence[Var], class_maps: Sequence[Var], box_maps: Sequence[Var]
) -> dict[str, Any]:
    return {
        "downsample": list(STRIDES),
        "neck": [x.name for x in levels],
        "heads": [x.name for x in (*class_maps, *box_maps)],
        # Pixels are divided by 255, then normalized.
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
        "image_scale": 1 / 255,
        "image_channels": "rgb",
    }


def rows(maps: Sequence[Var], width: int) -> Var:
    """[N, A * width, h, w] of each level -> [N, M, width]: level by level, row by row."""
    flat = [paddle.reshape(paddle.transpose(x, [0, 2, 3, 1]), [0, -1, width]) for x in maps]
    return paddle.concat(flat, axis=1)


def centers(x: Var, stride: int) -> Var:
    """[h * w, 2]: x and y in pixels of the cells of a map, the first at 0."""
    shape = paddle.shape(x)
    ys, xs = paddle.meshgrid(_count(shape[2]), _count(shape[3]))
    grid = paddle.stack([paddle.flatten(xs), paddle.flatten(ys)], axis=1)
    return paddle.cast(grid, "float32") * float(stride)


def _count(end: Var) -> Var:
    """0, 1, ..., end - 1."""
    start, step = paddle.full([1], 0, "int32"), paddle.full([1], 1, "int32")
    return emit("range", {"Start": start, "End": end, "Step": step})


def _to_image(boxes: Var, image: Var, im_size: Var) -> Var:
    """Boxes in pixels of the input -> in pixels of the image before resizing, clipped to it."""
    shape = paddle.cast(paddle.shape(image)[2:4], "float32")
    size = paddle.cast(im_size, "float32")
    factor = paddle.flip(size / shape, axis=[1])
    corner = paddle.flip(size, axis=[1])
    twice = paddle.unsqueeze(paddle.concat([factor, factor], axis=1), 1)
    limit = paddle.unsqueeze(paddle.concat([corner, corner], axis=1), 1)
    return paddle.minimum(paddle.clip(boxes * twice, min=0.0), limit)


def positives(labels: Var, classes: int) -> Var:
    """[N, M] of class numbers -> 1.0 where an object is, else 0.0."""
    object_there = paddle.logical_and(labels >= 0, labels < classes)
    return paddle.cast(object_there, "float32")


def one_hot(labels: Var, classes: int) -> Var:
    """[N, M] -> [N, M, C]; all zero for background and for what is ignored."""
    inside = paddle.where(labels < 0, paddle.full_like(labels, classes), labels)
    return paddle.nn.functional.one_hot(inside, classes + 1)[:, :, :classes]
