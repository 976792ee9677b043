"""Let one program decide what an output of the other is where that one leaves it open.

A program that returns logits without a softmax does not show that they are logits. Its counterpart
may: the same shape in front of a softmax cross entropy.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.pairing.features import Feature, level_of
from graphprobe.pairing.roles import CLASSES, VAGUE


def reconcile(
    students: Sequence[Feature], teachers: Sequence[Feature]
) -> tuple[list[Feature], list[Feature]]:
    """Give outputs of a vague kind the kind of their one counterpart."""
    return (
        _named_by(students, teachers, "teacher"),
        _named_by(teachers, students, "student"),
    )


def _named_by(mine: Sequence[Feature], others: Sequence[Feature], side: str) -> list[Feature]:
    """The features of one side; those of a vague kind that the other side lacks are renamed."""
    known = {feature.kind for feature in mine}
    theirs = {feature.kind for feature in others}
    candidates = [f for f in others if f.kind not in known and not f.rows]
    found = []
    for feature in mine:
        fits = [f for f in candidates if _could_be(feature, f)]
        if feature.kind in VAGUE and feature.kind not in theirs and len(fits) == 1:
            (other,) = fits
            doubt = f"taken for {other.kind} as the {side}'s is"
            feature = feature._replace(  # noqa: PLW2901
                kind=other.kind,
                classes=other.classes,
                activation=other.activation,
                doubt=doubt,
            )
        elif feature.kind in CLASSES and not feature.activation:
            like = [f for f in others if f.kind == feature.kind and f.activation == "softmax"]
            if len([f for f in like if _could_be(feature, f)]) == 1:
                doubt = f"taken for what a softmax is made of as the {side}'s is"
                feature = feature._replace(activation="softmax", doubt=doubt)  # noqa: PLW2901
        found.append(feature)
    return found


def _could_be(mine: Feature, other: Feature) -> bool:
    return (
        len(mine.shape) == len(other.shape)
        and mine.channels == other.channels > 0
        and (mine.stride is None or other.stride is None or level_of(mine) == level_of(other))
    )
