"""What an exported program needs to be trained without a config: a teacher, data, losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphprobe.api.run_programs import ref_of
from graphprobe.errors import DataError, UsageError
from graphprobe.programs import LoadedProgram
from graphprobe.user_code import is_file

if TYPE_CHECKING:
    from graphprobe.api.pairs import PairFindings
    from graphprobe.training.networks.source import NetworkSource
    from graphprobe.training.reporting.progress import Log

_NOT_TOLD = " (warning: nothing beside it says so, these are ImageNet's)"


def is_exported(loaded: LoadedProgram) -> bool:
    """Whether an exported program is trained: itself, or what a run has made of it."""
    return is_file(loaded.source) and is_file(ref_of(loaded).program)


def with_own_teacher(
    loaded: list[LoadedProgram], prune: float | None, log: Log
) -> list[LoadedProgram]:
    """An exported program has no loss of its own: without a teacher the uncut one teaches it.

    Raises:
        UsageError: it is not cut either, so there is nothing to learn.
    """
    if len(loaded) > 1:
        return loaded
    student = loaded[0]
    if prune is None:
        raise UsageError(
            "an exported program has no loss of its own, so it learns from a teacher alone",
            where=student.source,
            hint="name one (teacher=PROGRAM), or cut it (prune=0.5): the uncut one teaches it then",
        )
    log(f"teacher: {student.source} itself, uncut")
    return [student, student]


def images_text(source: NetworkSource) -> str:
    """What the images of a network become before it sees them, and who says so."""
    from graphprobe.training.feeding.feeding import describe_pixels

    told = "" if source.exported is None or source.exported.pixels else _NOT_TOLD
    return f"images of {source.text}: {describe_pixels(source.build('train'))}{told}"


def held_out(spec: str) -> tuple[str, str | None]:
    """Images without labels in two parts; all of them to train on where they are too few."""
    from graphprobe.data.open import open_data, parse_spec

    if parse_spec(spec)[0] != "images" or "split" in parse_spec(spec)[2]:
        return spec, None
    mark = "&" if parse_spec(spec)[2] else "?"
    train, val = (f"{spec}{mark}split={name}" for name in ("train", "val"))
    try:
        few = not len(open_data(train)) or not len(open_data(val))
    except DataError:
        few = True
    return (spec, None) if few else (train, val)


def boxless_loss(found: PairFindings, log: Log) -> str | None:
    """The loss of all pairs where one of them would want boxes, which the data do not have."""
    from graphprobe.losses import find_loss
    from graphprobe.pairing.roles import FEATURE_LOSS

    wanting = dict.fromkeys(pair.loss for pair in found if find_loss(pair.loss).takes_targets)
    if not wanting:
        return None
    name, _ = FEATURE_LOSS
    log(f"pairs: {name} stands for {', '.join(wanting)}, since the data have no boxes")
    return name
