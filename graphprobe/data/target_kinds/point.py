"""GFL: the cells that adaptive training sample selection gives to an object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Arrays
from graphprobe.data.target_kinds._base import Meta, Objects, TargetKind
from graphprobe.data.target_kinds._cells import META, Cells
from graphprobe.data.target_kinds._overlap import Floats

# How far inside its object a cell must be, in pixels.
_INSIDE = 0.01


def _make(meta: Meta, size: int, objects: Objects) -> Arrays:
    """The targets of one image, cells level by level, row by row.

    Candidates for an object are the `nearest` (9) cells of each level. Those learn it whose
    square overlaps it by the mean plus the standard deviation of the candidates' IoU or more,
    and whose centre is inside (with the setting `bessel`: the deviation of a sample). A cell of
    several objects learns the one that it overlaps most.
    Source: ATSS, arXiv 1912.02424, with the squares of gfl_r50_fpn.yml in PaddleDetection 2.6.

    Returns:
        point_class int32 [M]: 0 to C - 1, C background; point_box float32 [M, 4]: left, top,
        right, bottom of the object in pixels of the input, 0 for background.
    """
    cells = Cells.of(size, meta)
    objects = objects.with_area()
    classes = np.full(len(cells.centers), meta["num_classes"], np.int32)
    boxes = np.zeros((len(cells.centers), 4), np.float32)
    if len(objects.boxes):
        shared = cells.fits(objects.boxes)
        chosen = _chosen(cells, objects.boxes, shared, meta)
        owner = np.where(chosen, shared, -1).argmax(0)
        there = chosen.any(0)
        classes[there] = objects.classes[owner[there]]
        boxes[there] = objects.boxes[owner[there]]
    return {"point_class": classes, "point_box": boxes}


def _chosen(cells: Cells, boxes: Floats, shared: Floats, meta: Meta) -> NDArray[np.bool_]:
    """Which cells each object may have: [n, M]."""
    candidates = cells.nearest(boxes, meta["nearest"])
    fits = np.take_along_axis(shared, candidates, 1)
    threshold = fits.mean(1) + fits.std(1, ddof=int(meta.get("bessel", False)))
    good = np.zeros(shared.shape, np.bool_)
    np.put_along_axis(good, candidates, fits >= threshold[:, None], 1)
    return good & _inside(cells.centers, boxes)


def _inside(centers: Floats, boxes: Floats) -> NDArray[np.bool_]:
    """Whether each centre is in each box: [n, M]."""
    before = (centers[None] - boxes[:, None, :2]).min(2)
    after = (boxes[:, None, 2:] - centers[None]).min(2)
    inside: NDArray[np.bool_] = np.minimum(before, after) > _INSIDE
    return inside


TARGETS = TargetKind("point", meta=META, feeds=lambda _: ("point_class", "point_box"), make=_make)
