"""Focal and global distillation: how much each place of a pyramid level counts."""

from __future__ import annotations

import numpy as np

from graphprobe.data.sample import Arrays
from graphprobe.data.target_kinds._base import Meta, Objects, TargetKind
from graphprobe.data.target_kinds._overlap import Floats


def _feeds(meta: Meta) -> tuple[str, ...]:
    return tuple(f"fgd_{kind}_{stride}" for stride in meta["downsample"] for kind in ("fg", "bg"))


def _make(meta: Meta, size: int, objects: Objects) -> Arrays:
    """The two maps of each level of one image, stride by stride.

    A box covers the places that it touches, its edges' ones included; each gets 1 / their number
    (those beyond the image counted), and the smallest of several boxes wins. What no box covers
    shares 1. Source: equations 4 and 5 of arXiv 2111.11837, with boxes laid on places as
    `FGDFeatureLoss` of PaddleDetection 2.6 does it.

    Returns:
        fgd_fg_8, fgd_bg_8, ...: float32 [1, h, w] with h = w = ceil(size / stride).
    """
    boxes = objects.with_area().boxes
    found: Arrays = {}
    for stride in meta["downsample"]:
        inside = _shares(boxes, size, -(-size // stride))
        outside = (inside == 0).astype(np.float32)
        outside /= max(float(outside.sum()), 1.0)
        found |= {f"fgd_fg_{stride}": inside[None], f"fgd_bg_{stride}": outside[None]}
    return found


def _shares(boxes: Floats, size: int, side: int) -> Floats:
    """[side, side]: 1 over the area of the smallest box on each place, 0 where none is."""
    share = np.zeros((side, side), np.float32)
    scaled = boxes / size * side
    lows = np.maximum(np.floor(scaled[:, :2]), 0).astype(int)
    ends = np.ceil(scaled[:, 2:]).astype(int) + 1
    for (left, top), (right, bottom) in zip(lows, ends, strict=True):
        here = share[top:bottom, left:right]
        np.maximum(here, 1.0 / ((right - left) * (bottom - top)), out=here)
    return share


TARGETS = TargetKind("fgd", meta=("downsample",), feeds=_feeds, make=_make)
