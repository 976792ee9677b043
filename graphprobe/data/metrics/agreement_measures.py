"""One kind of output of student and teacher, compared batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.metrics.agreement_types import SURE, OutputAgreement, OutputPair
from graphprobe.data.metrics.coco_ap import CocoAp
from graphprobe.data.metrics.miou import Miou
from graphprobe.errors import DataError, TrainError

Array: TypeAlias = NDArray[Any]

_CLOSE = 1e-5
_MASK_AT = 0.5
_MOST_CLASSES = 4096


class _Variety:
    """Whether a network's output was ever another than for the first image."""

    def __init__(self) -> None:
        self._first: Array | None = None
        self.differs = False

    def see(self, images: Sequence[Array]) -> None:
        """Compare an output of each of some images with that of the first."""
        for image in images if not self.differs else ():
            if self._first is None:
                self._first = np.array(image, copy=True)
            elif self._first.shape != image.shape:
                self.differs = True
            else:
                self.differs = not np.allclose(self._first, image, rtol=_CLOSE, atol=1e-12)
            if self.differs:
                return


class Measure:
    """What is compared of every output: numbers as numbers."""

    def __init__(self, pair: OutputPair) -> None:
        self.pair = pair
        self.student, self.teacher = _Variety(), _Variety()
        self._sums = np.zeros(4)  # (s - t)^2, s^2, t^2, s t

    def add(self, student: Mapping[str, Array], teacher: Mapping[str, Array], count: int) -> None:
        """Take the outputs of some images in."""
        ours, theirs = self._arrays(student, teacher)
        if ours.shape != theirs.shape:
            raise DataError(
                f"student {list(ours.shape)} and teacher {list(theirs.shape)} differ in shape",
                where=f"{self.pair.student} and {self.pair.teacher}",
                hint="compare outputs that stand for the same thing",
            )
        for side, array in ((self.student, ours), (self.teacher, theirs)):
            side.see(list(array) if array.ndim and len(array) == count else [array])
        self._take(ours, theirs)

    def _arrays(
        self, student: Mapping[str, Array], teacher: Mapping[str, Array]
    ) -> tuple[Array, Array]:
        ours, theirs = (
            np.asarray(student[self.pair.student]),
            np.asarray(teacher[self.pair.teacher]),
        )
        if ours.dtype.kind == "f" and not np.isfinite(ours).all():
            raise TrainError(
                "holds numbers that are not finite",
                where=self.pair.student,
                hint="the training has failed; lower the learning rate",
            )
        return ours, theirs

    def _take(self, ours: Array, theirs: Array) -> None:
        s, t = (x.astype(np.float64).ravel() for x in (ours, theirs))
        self._sums += (((s - t) ** 2).sum(), (s * s).sum(), (t * t).sum(), (s * t).sum())

    def result(self) -> OutputAgreement:
        """The figures of all that was taken in."""
        pair = self.pair
        return OutputAgreement(pair.student, pair.kind, **{"doubt": pair.doubt, **self._figures()})

    def _figures(self) -> dict[str, Any]:
        """The fields of `OutputAgreement` that apply."""
        return self._numbers()

    def _numbers(self) -> dict[str, float]:
        gap, ours, theirs, both = self._sums.tolist()
        if ours == theirs == 0:
            return {"relative_l2": 0.0, "cosine": 1.0}
        lengths = (ours * theirs) ** 0.5
        return {
            "relative_l2": gap / theirs if theirs else float("inf"),
            "cosine": both / lengths if lengths else 0.0,
        }


class _Top1(Measure):
    """Scores of classes along an axis, or the numbers of classes."""

    def __init__(self, pair: OutputPair) -> None:
        super().__init__(pair)
        self._equal = self._all = 0

    def _take(self, ours: Array, theirs: Array) -> None:
        if self.pair.kind == "scores":
            super()._take(ours, theirs)
            ours, theirs = ours.argmax(self.pair.axis), theirs.argmax(self.pair.axis)
        self._equal += int((ours == theirs).sum())
        self._all += ours.size

    def _figures(self) -> dict[str, Any]:
        numbers = self._numbers() if self.pair.kind == "scores" else {}
        return {**numbers, "top1": self._equal / self._all if self._all else None}


class _Classes(Measure):
    """Classes of pixels."""

    def __init__(self, pair: OutputPair) -> None:
        super().__init__(pair)
        self._miou = Miou(["0", "1"], ignore=-1)

    def _take(self, ours: Array, theirs: Array) -> None:
        if self.pair.kind != "map labels":
            super()._take(ours, theirs)
        labels = [self._labels(array) for array in (ours, theirs)]
        self._grow(1 + max(int(array.max(initial=0)) for array in labels))
        self._miou.add(*labels)

    def _labels(self, array: Array) -> NDArray[np.int64]:
        if self.pair.kind == "mask":
            return (array > _MASK_AT).astype(np.int64)
        if self.pair.kind == "map scores":
            found: NDArray[np.int64] = array.argmax(self.pair.axis)
            return found
        return array.astype(np.int64)

    def _grow(self, count: int) -> None:
        old = self._miou.confusion
        if count > _MOST_CLASSES:
            raise DataError(f"holds class {count - 1}, which is none", where=self.pair.student)
        if count > len(old):
            self._miou = Miou([str(i) for i in range(count)], ignore=-1)
            self._miou.confusion[: len(old), : len(old)] = old

    def _figures(self) -> dict[str, Any]:
        numbers = self._numbers() if self.pair.kind != "map labels" else {}
        return {**numbers, "miou": self._miou.result().miou}


class _Boxes(Measure):
    """Rows of class, score, x1, y1, x2, y2."""

    def __init__(self, pair: OutputPair) -> None:
        super().__init__(pair)
        CocoAp(())  # refused before any image is looked at where pycocotools is missing
        self._images: list[tuple[Array, Array]] = []

    def add(self, student: Mapping[str, Array], teacher: Mapping[str, Array], count: int) -> None:
        """Take the boxes of some images in."""
        ours, theirs = self._arrays(student, teacher)
        sides = (
            (ours, student, self.pair.student_count, self.student),
            (theirs, teacher, self.pair.teacher_count, self.teacher),
        )
        rows = []
        for found, outputs, name, variety in sides:
            counts = np.asarray(outputs[name]).ravel() if name else np.asarray([len(found)])
            parts = _parted(found, counts, count, self.pair.student)
            variety.see(parts)
            rows.append(parts)
        self._images += list(zip(*rows, strict=True))

    def _figures(self) -> dict[str, Any]:
        classes = 1 + max(
            (int(rows[:, 0].max(initial=-1)) for image in self._images for rows in image),
            default=-1,
        )
        measure = CocoAp([str(i) for i in range(min(classes, _MOST_CLASSES))])
        objects = 0
        for ours, theirs in self._images:
            truth = theirs[theirs[:, 1] >= SURE]
            objects += len(truth)
            measure.add(ours, truth[:, 2:], truth[:, 0])
        if not objects:
            return {"doubt": f"the teacher finds no box of score {SURE:g}"}
        found = measure.result()
        return {"ap": found.ap, "ap50": found.ap50}


def _parted(rows: Array, counts: Array, images: int, name: str) -> list[Array]:
    """The rows of each image; those of class -1 stand for nothing."""
    flat = rows.reshape(-1, rows.shape[-1]) if rows.size else np.zeros((0, 6))
    if flat.shape[1] != 6 or len(counts) != images or int(counts.sum()) > len(flat):
        raise DataError(
            f"{list(rows.shape)} with {len(counts)} counts is no list of boxes of {images} images",
            where=name,
        )
    parts = np.split(flat[: int(counts.sum())], np.cumsum(counts)[:-1])
    return [np.array(part[part[:, 0] >= 0], np.float32) for part in parts]


_MEASURES: dict[str, type[Measure]] = {
    "values": Measure,
    "scores": _Top1,
    "labels": _Top1,
    "map scores": _Classes,
    "map labels": _Classes,
    "mask": _Classes,
    "boxes": _Boxes,
}


def measure_of(pair: OutputPair) -> Measure:
    """What compares a pair of outputs of its kind."""
    return _MEASURES[pair.kind](pair)
