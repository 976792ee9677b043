"""Average precision as COCO defines it, for boxes: pycocotools' COCOeval, fed from arrays.

Sizes (small, medium, large) are those of the objects' outlines where the data give an area, as in
COCO's own files, and those of the boxes otherwise.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.errors import MissingDependency

Floats = NDArray[np.float64]

# COCOeval's axes of precision: IoU threshold, recall, class, size, most detections.
_AP50, _AP75 = 0, 5
_ALL, _SMALL, _MEDIUM, _LARGE = range(4)
_MOST_100 = 2


@dataclass(frozen=True, slots=True)
class CocoResult:
    """From 0 to 1; None where there are no such objects.

    Args:
        ap: the mean over classes and the IoU thresholds 0.5, 0.55, ..., 0.95.
        ap50, ap75: at IoU 0.5 and 0.75 alone.
        small, medium, large: `ap` of objects of at most 32^2 pixels, up to 96^2, and above.
        classes: `ap` by class.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    small: float | None
    medium: float | None
    large: float | None
    classes: tuple[tuple[str, float | None], ...]


class CocoAp:
    """Collects detections image by image.

    Args:
        class_names: by index.

    Raises:
        MissingDependency: pycocotools is not installed.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self._names = tuple(class_names)
        self._objects: list[dict[str, Any]] = []
        self._found: list[dict[str, Any]] = []
        self._images = 0
        _tools()  # an evaluation that cannot be finished is refused before it begins

    def add(
        self,
        detections: NDArray[Any],
        boxes: NDArray[Any],
        classes: NDArray[Any],
        crowd: NDArray[np.bool_] | None = None,
        areas: NDArray[Any] | None = None,
    ) -> None:
        """Take one image in.

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
        sizes = _box_areas(truth) if areas is None else np.asarray(areas, np.float64)
        labels = np.asarray(classes)
        for box, label, is_crowd, area in zip(truth, labels, many, sizes, strict=True):
            item = self._item(self._objects, int(label), box, float(area))
            self._objects.append({**item, "iscrowd": int(is_crowd)})
        known = found[(found[:, 0] >= 0) & (found[:, 0] < len(self._names))]
        for row, area in zip(known, _box_areas(known[:, 2:]), strict=True):
            item = self._item(self._found, int(row[0]), row[2:], float(area))
            self._found.append({**item, "score": float(row[1])})
        self._images += 1

    def _item(
        self, listed: list[dict[str, Any]], label: int, box: Floats, area: float
    ) -> dict[str, Any]:
        x1, y1, x2, y2 = box.tolist()
        return {
            "id": len(listed) + 1,  # COCOeval takes 0 for "no match"
            "image_id": self._images,
            "category_id": label,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": area,
        }

    def result(self) -> CocoResult:
        """The figures of all that was taken in."""
        precision = self._precision()
        per_class = [
            _mean(precision[:, :, label, _ALL, _MOST_100]) for label in range(len(self._names))
        ]
        size = [_mean(precision[..., size, _MOST_100]) for size in range(4)]
        return CocoResult(
            ap=size[_ALL],
            ap50=_mean(precision[_AP50, ..., _ALL, _MOST_100]),
            ap75=_mean(precision[_AP75, ..., _ALL, _MOST_100]),
            small=size[_SMALL],
            medium=size[_MEDIUM],
            large=size[_LARGE],
            classes=tuple(zip(self._names, per_class, strict=True)),
        )

    def _precision(self) -> Floats:
        """Precision by threshold, recall, class, size and most detections; -1 without objects."""
        coco, evaluation = _tools()
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
            truth, found = coco.COCO(), coco.COCO()
            for index, items in ((truth, self._objects), (found, self._found)):
                index.dataset = {
                    "images": [{"id": number} for number in range(self._images)],
                    "categories": [{"id": number} for number in range(len(self._names))],
                    "annotations": items,
                }
                index.createIndex()
            measure = evaluation.COCOeval(truth, found, "bbox")
            measure.evaluate()
            measure.accumulate()
        precision: Floats = measure.eval["precision"]
        return precision


def _tools() -> tuple[Any, Any]:
    try:
        from pycocotools import coco, cocoeval
    except ImportError as error:
        raise MissingDependency(
            "needs pycocotools", where="COCO AP", hint='pip install "graphprobe[cpu]"'
        ) from error
    return coco, cocoeval


def _box_areas(boxes: Floats) -> Floats:
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    area: Floats = sides[:, 0] * sides[:, 1]
    return area


def _mean(values: Floats) -> float | None:
    known = values[values > -1]
    return float(known.mean()) if known.size else None
