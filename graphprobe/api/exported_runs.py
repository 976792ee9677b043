"""What an exported program needs to be trained without a config: a teacher, data, losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphprobe.api.pruned_pairs import pairs_after_pruning
from graphprobe.api.task_loss import task_of
from graphprobe.errors import DataError, UsageError
from graphprobe.programs import LoadedProgram
from graphprobe.user_code import is_file

if TYPE_CHECKING:
    from graphprobe.config import Config, PruneConfig, TrainSection
    from graphprobe.training.networks.source import Networks, NetworkSource
    from graphprobe.training.reporting.progress import Log


def with_own_teacher(
    loaded: list[LoadedProgram], prune: float | None, log: Log
) -> list[LoadedProgram]:
    """An exported program has no loss of its own: without a teacher the unpruned one teaches it.

    Raises:
        UsageError: it is not pruned either, so there is nothing to learn.
    """
    if len(loaded) > 1:
        return loaded
    student = loaded[0]
    if prune is None:
        raise UsageError(
            "an exported program has no loss of its own, so it learns from a teacher alone",
            where=student.source,
            hint="name one (teacher=PROGRAM), prune it (prune=0.5): then it teaches itself, or "
            "take data whose labels fit its outputs",
        )
    log(f"teacher: {student.source} itself, unpruned")
    return [student, student]


def images_line(source: NetworkSource, train: TrainSection) -> str:
    """What the images of an exported program become before it sees them, and by which file.

    Raises:
        DataError: nothing states it, or what does contradicts the program.
    """
    from graphprobe.training.feeding.inputs import images_text

    return f"images of {source.text}: {images_text(train, source.build('eval'))}"


def parts_of(spec: str, student: str) -> tuple[str, str | None]:
    """The lines for training and evaluation, with which a program is trained.

    For an exported program images without labels are parted by their names, or all trained on where
    they are too few. One with a task of its own cannot be measured on them, so they stay whole.

    Args:
        spec: a line of data.
        student: names the program.

    Raises:
        DataError: the line is none.
    """
    from graphprobe.data.open import open_data, parse_spec
    from graphprobe.data.splits import train_and_val

    if not is_file(student) or parse_spec(spec)[0] != "images" or "split" in parse_spec(spec)[2]:
        return train_and_val(spec)
    mark = "&" if parse_spec(spec)[2] else "?"
    train, val = (f"{spec}{mark}split={name}" for name in ("train", "val"))
    try:
        few = not len(open_data(train)) or not len(open_data(val))
    except DataError:
        few = True
    return (spec, None) if few else (train, val)


def with_parts(settings: Config, data: str | None, override: Sequence[str]) -> Config:
    """A config whose student is an exported program, with images without labels parted.

    Args:
        settings: of any kind; of another student it comes back as it is.
        data: what was named beside it, or None.
        override: what it sets; the data that it names stay.
    """
    from graphprobe.config import is_named

    if data is None or not is_file(settings.student.program):
        return settings
    parts = zip(("train", "val"), parts_of(data, settings.student.program), strict=True)
    update = {key: spec for key, spec in parts if not is_named(f"train.data.{key}", override)}
    section = settings.train.data.model_copy(update=update)
    train = settings.train.model_copy(update={"data": section})
    return settings.model_copy(update={"train": train})


def make_own_teacher(
    pruning: PruneConfig, where: str, override: Sequence[str], networks: Networks, log: Log
) -> tuple[Path, Config]:
    """Write the config that trains what a pruning leaves of an exported program, and it beside.

    Such a program has no loss of its own, so the whole one teaches it.

    Args:
        pruning: what is pruned; its section `train` is that of the run.
        where: its file.
        override: what it sets in the config that is made.
        networks: of the command; the program is loaded there.
        log: takes each line about what was found.

    Raises:
        ConfigError: the pruning was made for another program.
        UsageError: its images are not named.
        GraphprobeError: the program or the data cannot be read.
    """
    from graphprobe.api.quick_config import write_configs
    from graphprobe.config import check_fingerprint, override_config
    from graphprobe.data.open import open_data, parse_spec
    from graphprobe.emit import PHOTOS, distill_notes

    if pruning.train.data.train == PHOTOS and not Path(parse_spec(PHOTOS)[1]).exists():
        hint = "as data='images:FOLDER'"
        raise UsageError("the images to train on are not named", where=where, hint=hint)
    student = networks.programs.load(pruning.student.program)
    check_fingerprint(pruning.student, student.program, key="student", where=where)
    opened = open_data(pruning.train.data.train)
    log(f"teacher: {student.source} itself, unpruned")
    if opened.task != "arrays":
        log(images_line(networks.source(pruning.student.program), pruning.train))
    boxes = opened.task == "detection"
    found = pairs_after_pruning(student, student, pruning, networks, boxes=boxes, log=log)
    task = task_of(student, opened, log)
    update = {
        "student": pruning.student,
        "teacher": pruning.student,
        "task": task,
        "train": pruning.train,
    }
    made = found.to_config().model_copy(update=update)
    config = override_config(made, override, where="override")
    return write_configs(config, pruning, distill_notes(found.report), log)
