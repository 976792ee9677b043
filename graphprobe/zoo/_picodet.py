"""PicoDet from image to boxes (https://arxiv.org/abs/2111.00902), as in PaddleDetection 2.6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphprobe.zoo import _dense as dense
from graphprobe.zoo._aligned_head import AlignedHead
from graphprobe.zoo._base import Graph, ZooModel
from graphprobe.zoo._conv import scaled
from graphprobe.zoo._dense import check, detector, image_input
from graphprobe.zoo._lcnet import lcnet
from graphprobe.zoo._lcpan import STRIDES, lcpan
from graphprobe.zoo._pico_head import BINS, pico_maps

DEFAULTS: dict[str, int | float | str] = {"num_classes": 80, "scale": 1.0, "assign": "aligned"}
NMS = {
    "score_threshold": 0.025,
    "nms_top_k": 1000,
    "keep_top_k": 100,
    "nms_threshold": 0.6,
    "normalized": True,
}
# Files of PaddleDetection also hold filters under a second name, and factors that its heads inherit
# from those of GFL and do not use.
LEFT_OUT = (
    *dense.LEFT_OUT,
    *(f"head.p{level}_feat.scale_reg" for level in range(3, 7)),
    *(
        f"head.head_{kind}_list.{level}.{part}"
        for kind in ("cls", "reg")
        for level in range(len(STRIDES))
        for part in ("weight", "bias")
    ),
)


@dataclass(frozen=True, slots=True)
class Size:
    """What the published sizes differ in.

    Args:
        width: of the backbone.
        channels: of the neck's levels.
        depth: pairs of convolutions before a level's outputs.
    """

    width: float
    channels: int
    depth: int


SIZES = {
    "xs": Size(0.35, 96, 2),
    "s": Size(0.75, 96, 2),
    "m": Size(1.5, 128, 4),
    "l": Size(2.0, 160, 4),
}


def picodet(size: str) -> ZooModel:
    """The model of one of SIZES."""
    return ZooModel(
        name=f"picodet_{size}",
        task="detection",
        defaults=DEFAULTS,
        build=partial(_build, SIZES[size]),
        check=check,
    )


def _build(size: Size, options: Mapping[str, Any]) -> Graph:
    train, scale = options["mode"] == "train", options["scale"]
    image = image_input(options)
    channels = scaled(size.channels, scale)
    levels = lcpan(lcnet(image, size.width * scale, train), channels, train)
    aligned = AlignedHead(STRIDES, BINS, options["assign"] == "atss", rest=0.1, nms=NMS)
    head = aligned.head(lambda levels, classes, _: pico_maps(levels, classes, size.depth, train))
    return detector(image, levels, channels, head, options, left_out=LEFT_OUT)
