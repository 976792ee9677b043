"""Localization distillation: the valuable region around what a detector learns itself."""

from __future__ import annotations

import numpy as np

from graphprobe.data.sample import Arrays
from graphprobe.data.target_kinds._base import Meta, Objects, TargetKind
from graphprobe.data.target_kinds._cells import META, Cells
from graphprobe.data.target_kinds._overlap import distance_overlaps

# The region begins at this part of the threshold at which a cell would be a positive one.
_SHARE = 0.25


def _make(meta: Meta, size: int, objects: Objects) -> Arrays:
    """How much each cell counts in the valuable localization region of one image.

    The threshold of an object is the mean plus the standard deviation (with Bessel's correction)
    of the IoU of the `nearest` (9) cells of each level. The region holds the cells of any level
    whose DIoU with the object is below it and a quarter of it or more. Source: LD, arXiv
    2102.12252; PaddleDetection 2.6 does the same, but for a slip: its DIoU has the cell's area
    where the union belongs.

    Returns:
        point_vlr float32 [M]: the largest IoU with an object whose region holds the cell, 0
        outside of all regions.
    """
    cells = Cells.of(size, meta)
    objects = objects.with_area()
    weights = np.zeros(len(cells.centers), np.float32)
    if len(objects.boxes):
        shared = cells.fits(objects.boxes)
        fits = np.take_along_axis(shared, cells.nearest(objects.boxes, meta["nearest"]), 1)
        limit = (fits.mean(1) + fits.std(1, ddof=1))[:, None]
        apart = distance_overlaps(objects.boxes, cells.squares)
        region = (apart < limit) & (apart >= _SHARE * limit)
        weights = np.where(region, shared, 0).max(0).astype(np.float32)
    return {"point_vlr": weights}


TARGETS = TargetKind("vlr", meta=META, feeds=lambda _: ("point_vlr",), make=_make)
