"""Average precision as COCO defines it, for boxes.

Source: the detection evaluation of cocodataset.org and its reference code, pycocotools: IoU
thresholds 0.5, 0.55, ..., 0.95, 101 levels of recall, at most 100 detections a picture and class.
All thresholds and sizes of objects are matched at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

THRESHOLDS: Floats = np.linspace(0.5, 0.95, 10)
_RECALLS: Floats = np.linspace(0.0, 1.0, 101)
_MOST = 100
# Squares of sides: objects of all sizes, small, medium and large ones.
_AREAS: Floats = np.array([(0, 1e5), (0, 32), (32, 96), (96, 1e5)], np.float64) ** 2


@dataclass(frozen=True, slots=True)
class CocoResult:
    """From 0 to 1; None where there are no such objects.

    Args:
        ap: the mean over classes and thresholds, which COCO calls AP.
        ap50, ap75: at IoU 0.5 and 0.75 alone.
        small, medium, large: `ap` of objects below 32^2, up to 96^2, and above, in pixels.
        classes: `ap` by class.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    small: float | None
    medium: float | None
    large: float | None
    classes: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True, slots=True)
class _Matches:
    """One picture and class: scores [D], hit and ignored [sizes, thresholds, D], and the number
    of objects that count, by size [sizes]."""

    scores: Floats
    hit: Flags
    ignored: Flags
    objects: NDArray[np.int64]


class CocoAp:
    """Collects detections picture by picture.

    Args:
        class_names: by index.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self._names = tuple(class_names)
        self._seen: list[list[_Matches]] = [[] for _ in self._names]

    def add(
        self,
        detections: NDArray[Any],
        boxes: NDArray[Any],
        classes: NDArray[Any],
        crowd: NDArray[np.bool_] | None = None,
        areas: NDArray[Any] | None = None,
    ) -> None:
        """Take one picture in.

        Args:
            detections: [m, 6]: class, score, x1, y1, x2, y2 in pixels; rows with a class below 0
                are left out.
            boxes: [n, 4] in the same pixels.
            classes: [n].
            crowd: [n], objects that any number of detections may lie on without counting.
            areas: [n], of the objects' outlines in pixels; those of the boxes by default.
        """
        found = np.asarray(detections, np.float64).reshape(-1, 6)
        truth = np.asarray(boxes, np.float64).reshape(-1, 4)
        many = np.zeros(len(truth), np.bool_) if crowd is None else np.asarray(crowd, np.bool_)
        sizes = _area(truth) if areas is None else np.asarray(areas, np.float64)
        labels = np.asarray(classes)
        present = set(labels.tolist()) | set(found[:, 0].tolist())
        for label in (int(value) for value in present if 0 <= value < len(self._names)):
            mine = labels == label
            rows = found[found[:, 0] == label]
            self._seen[label].append(_match(rows, truth[mine], many[mine], sizes[mine]))

    def result(self) -> CocoResult:
        """The figures of all that was taken in."""
        # [classes, sizes, thresholds], NaN where a class has no objects of a size
        table = np.stack([_precisions(seen) for seen in self._seen])
        per_class = [_mean(table[label, 0]) for label in range(len(self._names))]
        return CocoResult(
            ap=_mean(table[:, 0]),
            ap50=_mean(table[:, 0, 0]),
            ap75=_mean(table[:, 0, 5]),
            small=_mean(table[:, 1]),
            medium=_mean(table[:, 2]),
            large=_mean(table[:, 3]),
            classes=tuple(zip(self._names, per_class, strict=True)),
        )


def _area(boxes: Floats) -> Floats:
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    area: Floats = sides[:, 0] * sides[:, 1]
    return area


def _overlaps(found: Floats, truth: Floats, crowd: Flags) -> Floats:
    """IoU [m, n]; over a crowd, the share of the detection that lies on it."""
    low = np.maximum(found[:, None, :2], truth[None, :, :2])
    high = np.minimum(found[:, None, 2:], truth[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    mine, theirs = _area(found)[:, None], _area(truth)[None]
    whole = np.where(crowd[None], mine, mine + theirs - shared)
    ratio: Floats = shared / np.maximum(whole, 1e-12)
    return ratio


def _match(rows: Floats, truth: Floats, crowd: Flags, areas: Floats) -> _Matches:
    order = np.argsort(-rows[:, 1], kind="stable")[:_MOST]
    rows = rows[order]
    unwanted = crowd[None] | (areas[None] < _AREAS[:, :1]) | (areas[None] > _AREAS[:, 1:])
    overlaps = _overlaps(rows[:, 2:], truth, crowd)
    shape = (len(_AREAS), len(THRESHOLDS))
    taken = np.zeros((*shape, len(truth)), np.bool_)
    hit = np.zeros((*shape, len(rows)), np.bool_)
    ignored = np.zeros_like(hit)
    for place, overlap in enumerate(overlaps if len(truth) else []):
        matched, on_unwanted = _match_one(overlap, unwanted, crowd, taken)
        hit[:, :, place], ignored[:, :, place] = matched, on_unwanted
    sizes = _area(rows[:, 2:])[None]
    outside = (sizes < _AREAS[:, :1]) | (sizes > _AREAS[:, 1:])
    ignored |= ~hit & outside[:, None]
    return _Matches(rows[:, 1], hit, ignored, (~unwanted).sum(1))


def _match_one(overlap: Floats, unwanted: Flags, crowd: Flags, taken: Flags) -> tuple[Flags, Flags]:
    """Give one detection its object, for every size and threshold; marks it in `taken`.

    An object that counts goes before one that does not, then the larger overlap, then the later.

    Args:
        overlap: with each object, [n].
        unwanted: objects that do not count, [sizes, n].
        crowd: objects that are never used up, [n].
        taken: objects that are used up, [sizes, thresholds, n].

    Returns:
        whether it got one, and whether that one does not count, each [sizes, thresholds].
    """
    enough = overlap[None] >= np.minimum(THRESHOLDS, 1 - 1e-10)[:, None]
    free = enough[None] & (~taken | crowd)
    counting = free & ~unwanted[:, None]
    choice = np.where(counting.any(2, keepdims=True), counting, free)
    matched = choice.any(2)
    if not matched.any():
        return matched, matched
    ranked = np.where(choice, overlap, -1.0)[..., ::-1]
    best = len(overlap) - 1 - ranked.argmax(2)
    sizes, thresholds = np.nonzero(matched)
    taken[sizes, thresholds, best[sizes, thresholds]] = True
    on_unwanted = matched & np.take_along_axis(unwanted, best, 1)
    return matched, on_unwanted


def _precisions(seen: list[_Matches]) -> Floats:
    """Average precision of one class, [sizes, thresholds]; NaN where it has no objects."""
    result = np.full((len(_AREAS), len(THRESHOLDS)), np.nan)
    objects = sum((match.objects for match in seen), np.zeros(len(_AREAS), np.int64))
    if not seen:
        return result
    order = np.argsort(-np.concatenate([match.scores for match in seen]), kind="stable")
    hit = np.concatenate([match.hit for match in seen], 2)[..., order]
    ignored = np.concatenate([match.ignored for match in seen], 2)[..., order]
    for size in np.flatnonzero(objects):
        for threshold in range(len(THRESHOLDS)):
            counts = ~ignored[size, threshold]
            hits = hit[size, threshold][counts]
            result[size, threshold] = _average(hits, int(objects[size]))
    return result


def _average(hits: Flags, objects: int) -> float:
    """The mean of the best precision at 101 levels of recall or beyond."""
    right = hits.cumsum()
    precision = right / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(right / objects, _RECALLS, side="left")
    return float(np.append(best, 0.0)[np.minimum(places, len(best))].mean())


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
