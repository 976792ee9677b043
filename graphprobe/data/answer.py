"""Which output of an exported program labels are held against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphprobe.data.class_match import NoMatch, match_classes
from graphprobe.data.metrics.agreement_types import Kind, OutputKind
from graphprobe.data.sample import Dataset
from graphprobe.ir import Program

# The kinds of outputs that each kind of labels is held against, the most telling first.
READ: dict[str, tuple[Kind, ...]] = {
    "classification": ("scores", "labels"),
    "detection": ("boxes",),
    "segmentation": ("map scores", "map labels", "mask"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An output that is held against labels.

    Args:
        output: what it is.
        classes: the number that each class of the data has in the program.
    """

    output: OutputKind
    classes: tuple[int, ...]


def find_answer(
    program: Program, named: Sequence[str], outputs: Iterable[OutputKind], data: Dataset
) -> Answer | str:
    """The output that labels are held against, or why there is none.

    Args:
        program: an exported one.
        named: its classes, as the file beside it lists them; empty where none does.
        outputs: what its outputs are.
        data: with labels or without.
    """
    if data.task not in READ:
        return "the data have no labels"
    kinds, every = READ[data.task], list(outputs)
    found = next((one for kind in kinds for one in every if one.kind == kind), None)
    if found is None:
        return f"no output of it is {' or '.join(kinds)}, which {data.task} is about"
    try:
        classes = _classes(found, named, data.class_names)
    except NoMatch as error:
        return error.message
    if not _one_answer(program, found):
        return f"{found.name} has more than one answer an image"
    if data.task == "segmentation" and len(classes) != found.classes:
        known = found.classes or "an unknown number of"
        return f"the program has {known} classes a pixel, the data {len(classes)}"
    return Answer(found, classes)


def _classes(found: OutputKind, named: Sequence[str], data: Sequence[str]) -> tuple[int, ...]:
    """The number of each class of the data; a background is one that boxes never have."""
    if not found.background:
        return match_classes(found.classes, named, data)
    if len(named) == found.classes - 1:
        named = ("background", *named)
    if named:
        return match_classes(found.classes, named, data)
    return tuple(place + 1 for place in match_classes(found.classes - 1, (), data))


def _one_answer(program: Program, found: OutputKind) -> bool:
    """Whether scores are of whole images, and not of the letters of a text."""
    if found.kind not in ("scores", "labels"):
        return True
    shape = list(program.shape(found.name) or ())
    if found.kind == "scores":
        shape.pop(found.axis)
    return all(side in (-1, 1) for side in shape)
