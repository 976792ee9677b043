"""PP-YOLOE from image to boxes (https://arxiv.org/abs/2203.16250), as in PaddleDetection 2.6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphprobe.zoo._aligned_head import AlignedHead
from graphprobe.zoo._base import Graph, ZooModel
from graphprobe.zoo._csppan import STRIDES, csp_pan
from graphprobe.zoo._cspresnet import csp_resnet
from graphprobe.zoo._dense import check, detector, image_input
from graphprobe.zoo._ppyoloe_head import BINS, ppyoloe_maps

DEFAULTS: dict[str, bool | int | float | str] = {
    "num_classes": 80,
    "scale": 1.0,
    "assign": "aligned",
    "plus": False,
}
NMS = {
    "score_threshold": 0.01,
    "nms_top_k": 1000,
    "keep_top_k": 300,
    "nms_threshold": 0.7,
    "normalized": True,
}
# The numbers of the bins, which files of PaddleDetection hold as a filter.
LEFT_OUT = ("yolo_head.proj_conv.weight",)
# PP-YOLOE+ divides pixels by 255 and does no more.
PLAIN_PIXELS = {"image_mean": [0.0, 0.0, 0.0], "image_std": [1.0, 1.0, 1.0]}


@dataclass(frozen=True, slots=True)
class Size:
    """What the published sizes differ in.

    Args:
        depth: what numbers of blocks are multiplied by.
        width: what channels are multiplied by.
    """

    depth: float
    width: float


SIZES = {
    "s": Size(0.33, 0.50),
    "m": Size(0.67, 0.75),
    "l": Size(1.0, 1.0),
    "x": Size(1.33, 1.25),
}


def ppyoloe(size: str) -> ZooModel:
    """The model of one of SIZES."""
    return ZooModel(
        name=f"ppyoloe_{size}",
        task="detection",
        defaults=DEFAULTS,
        build=partial(_build, SIZES[size]),
        check=check,
    )


def _build(size: Size, options: Mapping[str, Any]) -> Graph:
    train, plus, width = options["mode"] == "train", options["plus"], size.width * options["scale"]
    image = image_input(options)
    features = csp_resnet(image, width, size.depth, weighed=plus, train=train)
    levels = csp_pan(features, width, size.depth, train)
    aligned = AlignedHead(STRIDES, BINS, options["assign"] == "atss", rest=0.01, nms=NMS)
    head = aligned.head(
        lambda levels, classes, _: ppyoloe_maps(levels, classes, train),
        PLAIN_PIXELS if plus else None,
    )
    return detector(image, levels, 0, head, options, left_out=LEFT_OUT)
