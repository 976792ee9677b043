"""Which outputs of two networks are compared as what, and the figures that come of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

# A teacher's boxes count as objects from this score on.
SURE = 0.5

Kind: TypeAlias = Literal["values", "scores", "labels", "map scores", "map labels", "mask", "boxes"]
"""What an output is: numbers of any meaning; scores of classes along one axis, or the numbers of
the classes; the same of each pixel; the probability of one class a pixel; rows of class, score,
x1, y1, x2, y2."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """One output of a program.

    Args:
        name: of the variable that it returns.
        kind: what it is.
        axis: of the classes, where it is scores.
        count: the output with the rows of each image, of boxes.
        doubt: what is open about the kind.
        classes: how many it has; 0 where that is not known.
        logits: the variable with the scores of classes before a softmax or a choice of the best,
            and `logits_axis` its axis of classes; empty where there is none.
        background: whether class 0 of its boxes is the background, counted in `classes`.
    """

    name: str
    kind: Kind
    axis: int = -1
    count: str = ""
    doubt: str = ""
    classes: int = 0
    logits: str = ""
    logits_axis: int = -1
    background: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What is computed: the output, and its rows where they are counted."""
        return tuple(filter(None, (self.name, self.count)))


@dataclass(frozen=True, slots=True)
class OutputPair:
    """One output of the student and the one of the teacher that it is compared with.

    Args:
        student, teacher: their names.
        kind: what they are.
        axis: of the classes, where they are scores.
        student_count, teacher_count: the outputs that hold how many rows each image has, where they
            are boxes; empty where all rows are of one image.
        doubt: what is open about the kind.
    """

    student: str
    teacher: str
    kind: Kind = "values"
    axis: int = -1
    student_count: str = ""
    teacher_count: str = ""
    doubt: str = ""

    @property
    def student_names(self) -> tuple[str, ...]:
        """What is computed of the student: the output, and its rows where they are counted."""
        return tuple(filter(None, (self.student, self.student_count)))

    @property
    def teacher_names(self) -> tuple[str, ...]:
        """The same of the teacher."""
        return tuple(filter(None, (self.teacher, self.teacher_count)))


def pair_outputs(student: Iterable[OutputKind], teacher: Iterable[OutputKind]) -> list[OutputPair]:
    """The outputs that two programs have of one kind, in the order of each kind's."""
    waiting: dict[Kind, list[OutputKind]] = defaultdict(list)
    for output in teacher:
        waiting[output.kind].append(output)
    pairs = []
    for mine in student:
        if not waiting[mine.kind]:
            continue
        other = waiting[mine.kind].pop(0)
        counts = mine.count, other.count
        doubt = mine.doubt or other.doubt
        pairs.append(OutputPair(mine.name, other.name, mine.kind, mine.axis, *counts, doubt))
    return pairs


@dataclass(frozen=True, slots=True)
class OutputAgreement:
    """The figures of one output; None where one does not apply.

    Args:
        name: of the student's output.
        kind: what it is.
        relative_l2: sum((s - t)^2) / sum(t^2) over all images: 0 where equal.
        cosine: of all numbers of all images as one vector: 1 where equal.
        top1: share of images (or positions) with the teacher's best class.
        miou: with the teacher's classes as truth.
        ap, ap50: COCO AP with the teacher's boxes of at least `SURE` as objects.
        doubt: what is open about the kind.
    """

    name: str
    kind: Kind
    relative_l2: float | None = None
    cosine: float | None = None
    top1: float | None = None
    miou: float | None = None
    ap: float | None = None
    ap50: float | None = None
    doubt: str = ""


# The figures, and what people call them.
FIGURES = {
    "ap": "AP",
    "ap50": "AP50",
    "miou": "mIoU",
    "top1": "top-1",
    "relative_l2": "relative l2",
    "cosine": "cosine",
}
# The main figure of a kind of output; larger is better.
_HEADLINES: dict[Kind, str] = {
    "boxes": "ap",
    "map scores": "miou",
    "map labels": "miou",
    "mask": "miou",
    "scores": "top1",
    "labels": "top1",
    "values": "cosine",
}


def headline_of(pairs: Sequence[OutputPair] | Sequence[OutputAgreement]) -> str:
    """The figure that stands for all: AP where there are boxes, else mIoU, top-1 or the cosine."""
    kinds = {pair.kind for pair in pairs}
    return next(name for kind, name in _HEADLINES.items() if kind in kinds)


@dataclass(frozen=True, slots=True)
class AgreementResult:
    """The figures of all outputs.

    Args:
        samples: how many images were compared.
        outputs: the figures of each output.
    """

    samples: int
    outputs: tuple[OutputAgreement, ...]

    def figure(self, name: str) -> float | None:
        """The mean of a figure over the outputs that have it; None where none has."""
        found = [value for each in self.outputs if (value := getattr(each, name)) is not None]
        return sum(found) / len(found) if found else None

    @property
    def headline(self) -> tuple[str, float]:
        """The main figure, larger is better: AP, mIoU, top-1, or the cosine."""
        name = headline_of(self.outputs)
        return name, self.figure(name) or 0.0

    def to_dict(self) -> dict[str, Any]:
        """Each figure over all outputs that have it, ``samples``, and each output."""
        whole = {name: self.figure(name) for name in FIGURES}
        found: dict[str, Any] = {name: value for name, value in whole.items() if value is not None}
        found["samples"] = self.samples
        found["outputs"] = [
            {"name": each.name, "kind": each.kind}
            | {n: v for n in FIGURES if (v := getattr(each, n)) is not None}
            | ({"doubt": each.doubt} if each.doubt else {})
            for each in self.outputs
        ]
        return found

    def to_rows(self) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """A row an output, with the figures that any of them has."""
        names = [name for name in FIGURES if self.figure(name) is not None]
        head = ("output", "kind", *names)
        return head, [(o.name, o.kind, *(getattr(o, n) for n in names)) for o in self.outputs]
