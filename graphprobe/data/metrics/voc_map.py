"""Mean average precision as PASCAL VOC defines it.

Source: Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 2010, and
the development kits of 2007 (11 recall levels) and of 2010 and later (area under the curve).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.metrics.names import ELEVEN_POINT

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class ClassAp:
    """One class: its average precision (None without objects), objects and detections."""

    name: str
    eleven_point: float | None
    integral: float | None
    objects: int
    detections: int


@dataclass(frozen=True, slots=True)
class MapResult:
    """Mean average precision from 0 to 1, over the classes that have objects."""

    eleven_point: float
    integral: float
    classes: tuple[ClassAp, ...]

    def value(self, kind: str) -> float:
        """The mean for ``11point`` or ``integral``."""
        return self.eleven_point if kind == ELEVEN_POINT else self.integral


@dataclass(slots=True)
class _Hits:
    """What was seen of one class: a score and a hit a detection, and the count of objects."""

    scores: list[float] = field(default_factory=list)
    hits: list[bool] = field(default_factory=list)
    objects: int = 0


class VocMap:
    """Collects detections image by image.

    A detection is a hit if the object of its class that it overlaps most has an IoU of at least
    the threshold and no better scored detection took it; one on a difficult object counts
    neither way.

    Args:
        class_names: by index.
        iou_threshold: 0.5 in the challenge.
    """

    def __init__(self, class_names: Sequence[str], iou_threshold: float = 0.5) -> None:
        self._names = tuple(class_names)
        self._threshold = iou_threshold
        self._seen = [_Hits() for _ in self._names]

    def add(
        self,
        detections: Floats,
        boxes: Floats,
        classes: NDArray[np.integer[Any]],
        difficult: NDArray[np.bool_] | None = None,
    ) -> None:
        """Take one image in.

        Args:
            detections: [m, 6]: class, score, x1, y1, x2, y2 in pixels, in any order; rows with
                a class below 0 (what the operators give for "nothing") are left out.
            boxes: [n, 4] in the same pixels.
            classes: [n].
            difficult: [n], all False by default.
        """
        found = np.asarray(detections, np.float64).reshape(-1, 6)
        truth = np.asarray(boxes, np.float64).reshape(-1, 4)
        hard = np.zeros(len(truth), np.bool_) if difficult is None else np.asarray(difficult)
        present = set(np.unique(classes).tolist()) | set(np.unique(found[:, 0]).tolist())
        for label in sorted(int(value) for value in present if 0 <= value < len(self._names)):
            mine = found[found[:, 0] == label]
            objects = np.asarray(classes) == label
            self._add_class(self._seen[label], mine, truth[objects], hard[objects])

    def _add_class(
        self, seen: _Hits, found: Floats, truth: Floats, hard: NDArray[np.bool_]
    ) -> None:
        seen.objects += int((~hard).sum())
        order = np.argsort(-found[:, 1], kind="stable")
        overlaps = iou_matrix(found[order, 2:], truth)
        taken = np.zeros(len(truth), np.bool_)
        for row, score in zip(overlaps, found[order, 1], strict=True):
            best = int(row.argmax()) if len(row) else -1
            hit = best >= 0 and row[best] >= self._threshold
            if hit and hard[best]:
                continue
            seen.scores.append(float(score))
            seen.hits.append(bool(hit and not taken[best]))
            if hit:
                taken[best] = True

    def result(self) -> MapResult:
        """The figures of all that was taken in; 0 where no class has an object."""
        rows = tuple(
            _class_ap(name, seen) for name, seen in zip(self._names, self._seen, strict=True)
        )
        eleven = [row.eleven_point for row in rows if row.eleven_point is not None]
        integral = [row.integral for row in rows if row.integral is not None]
        return MapResult(_mean(eleven), _mean(integral), rows)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def iou_matrix(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes [m, 4] and [n, 4], x1, y1, x2, y2 -> [m, n]."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    area_a = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(1)
    area_b = np.clip(b[:, 2:] - b[:, :2], 0, None).prod(1)
    union = area_a[:, None] + area_b[None] - shared
    ratio: Floats = np.where(union > 0, shared / np.where(union > 0, union, 1), 0.0)
    return ratio


def _class_ap(name: str, seen: _Hits) -> ClassAp:
    if not seen.objects:
        return ClassAp(name, None, None, 0, len(seen.hits))
    order = np.argsort(-np.asarray(seen.scores), kind="stable")
    hits = np.asarray(seen.hits, np.float64)[order]
    found = hits.cumsum()
    recall = found / seen.objects
    precision = found / np.arange(1, len(hits) + 1)
    return ClassAp(
        name,
        eleven_point_ap(recall, precision),
        integral_ap(recall, precision),
        seen.objects,
        len(hits),
    )


def eleven_point_ap(recall: Floats, precision: Floats) -> float:
    """The mean of the best precision at a recall of at least 0, 0.1, ..., 1."""
    best = [
        # Recall is a quotient of counts: 3/10 must reach the level 0.3 whatever its last bit.
        precision[recall >= level / 10 - 1e-9].max(initial=0.0)
        for level in range(11)
    ]
    return float(np.mean(best))


def integral_ap(recall: Floats, precision: Floats) -> float:
    """The area under the curve of the best precision at each recall or beyond."""
    best = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(recall, prepend=0.0)
    return float((steps * best).sum())
