"""Localization distillation: the two regions of each pyramid level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Arrays
from graphprobe.data.target_kinds._base import Meta, Objects, TargetKind
from graphprobe.data.target_kinds._cells import META
from graphprobe.data.target_kinds.point import TARGETS as POINT
from graphprobe.data.target_kinds.vlr import TARGETS as VLR


def _feeds(meta: Meta) -> tuple[str, ...]:
    kinds = ("main", "valuable")
    return tuple(f"ld_{kind}_{stride}" for stride in meta["downsample"] for kind in kinds)


def _make(meta: Meta, size: int, objects: Objects) -> Arrays:
    """The two maps of each level of one image, stride by stride.

    Returns:
        ld_main_8, ...: float32 [1, h, w], 1 where `point_class` names an object, else 0;
        ld_valuable_8, ...: `point_vlr` of the level; h = w = ceil(size / stride).
    """
    labels = POINT.make(meta, size, objects)["point_class"]
    main = _levels(meta, size, (labels < meta["num_classes"]).astype(np.float32))
    valuable = _levels(meta, size, VLR.make(meta, size, objects)["point_vlr"])
    found: Arrays = {}
    for stride in meta["downsample"]:
        found |= {f"ld_main_{stride}": main[stride], f"ld_valuable_{stride}": valuable[stride]}
    return found


def _levels(meta: Meta, size: int, cells: NDArray[np.float32]) -> dict[int, NDArray[np.float32]]:
    """[M], level by level and row by row -> stride: [1, h, w]."""
    found, start = {}, 0
    for stride in meta["downsample"]:
        side = -(-size // stride)
        found[stride] = cells[start : start + side * side].reshape(1, side, side)
        start += side * side
    return found


TARGETS = TargetKind("ld", meta=META, feeds=_feeds, make=_make)
