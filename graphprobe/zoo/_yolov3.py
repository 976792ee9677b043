"""YOLOv3 around any backbone: inputs, head, and loss or boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import paddle

from graphprobe.errors import LoadError
from graphprobe.zoo._base import Graph
from graphprobe.zoo._emit import Var
from graphprobe.zoo._yolo_boxes import detections
from graphprobe.zoo._yolo_fine import fine_loss
from graphprobe.zoo._yolo_head import YoloHead, yolo_outputs
from graphprobe.zoo._yolo_loss import IGNORE_THRESHOLD, whole_loss

MAX_BOXES = 50
# As in the published VOC configs.
DEFAULTS: dict[str, bool | int | float] = {
    "num_classes": 20,
    "scale": 1.0,
    "fine_grained": False,
    "label_smooth": False,
}
Backbone = Callable[[Var, float, bool], list[Var]]


def check(options: Mapping[str, Any]) -> None:
    """Refuse sizes that the three scales cannot halve."""
    size = options["size"]
    if size is not None and size % 32:
        near = max(32, round(size / 32) * 32)
        message = f"size={size} is no multiple of 32, the coarsest stride"
        raise LoadError(message, hint=f"take size={near}")


def build(backbone: Backbone, options: Mapping[str, Any]) -> Graph:
    """Build YOLOv3 into the default programs.

    Args:
        backbone: (image, scale, train) -> maps of strides 8, 16 and 32.
        options: see DEFAULTS; size is None for dynamic height and width.
    """
    train = options["mode"] == "train"
    size = options["size"] or -1
    head = YoloHead(options["num_classes"])
    image = paddle.static.data("image", [-1, 3, size, size], "float32")
    rest = _truth() if train else [paddle.static.data("im_size", [-1, 2], "int32")]
    targets = _targets(head, size) if train and options["fine_grained"] else []
    maps = yolo_outputs(backbone(image, options["scale"], train), head, options["scale"], train)
    meta = _meta(head, maps, options)
    if not train:
        return Graph((image, *rest), detections(maps, head, rest[0]), meta=meta)
    if targets:
        losses = fine_loss(maps, head, rest[0], targets)
    else:
        losses = whole_loss(maps, head, rest, options["label_smooth"])
    return Graph((image, *rest, *targets), losses, losses["loss"], meta)


def _truth() -> list[Var]:
    return [
        paddle.static.data("gt_bbox", [-1, MAX_BOXES, 4], "float32"),
        paddle.static.data("gt_class", [-1, MAX_BOXES], "int32"),
        paddle.static.data("gt_score", [-1, MAX_BOXES], "float32"),
    ]


def _targets(head: YoloHead, size: int) -> list[Var]:
    found = []
    for index, (mask, stride) in enumerate(zip(head.masks, head.downsample, strict=True)):
        side = -1 if size < 0 else size // stride
        shape = [-1, len(mask), 6 + head.num_classes, side, side]
        found.append(paddle.static.data(f"target{index}", shape, "float32"))
    return found


def _meta(head: YoloHead, maps: list[Var], options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "anchors": [list(anchor) for anchor in head.anchors],
        "anchor_masks": [list(mask) for mask in head.masks],
        "downsample": list(head.downsample),
        "ignore_thresh": IGNORE_THRESHOLD,
        "label_smooth": options["label_smooth"],
        "fine_grained": options["fine_grained"],
        "max_boxes": MAX_BOXES,
        "heads": [x.name for x in maps],
        # Pixels are divided by 255, then normalized; channels in the order red, green, blue.
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
        "image_scale": 1 / 255,
        "image_channels": "rgb",
    }
