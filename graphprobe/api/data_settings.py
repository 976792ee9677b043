"""What follows from the data: the classes of bundled models, and the schedule of a config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphprobe.api.exported_runs import parts_of
from graphprobe.api.image_sizes import fit_image_size
from graphprobe.api.run_programs import is_exported
from graphprobe.programs import LoadedProgram, ProgramLike, load, source_of
from graphprobe.user_code import ZOO

if TYPE_CHECKING:
    from graphprobe.config import TrainSection
    from graphprobe.data.sample import Dataset
    from graphprobe.training.reporting.progress import Log


class DataSettings(NamedTuple):
    """What follows from the data.

    Args:
        programs: the student, then the teacher where there is one, loaded.
        train: the section of a config, whose length follows the number of images.
        data: what is trained on.
    """

    programs: list[LoadedProgram]
    train: TrainSection
    data: Dataset


def settings_for_data(programs: Sequence[ProgramLike], data: str, log: Log) -> DataSettings:
    """Programs with an output for each class, and the section ``train`` of a config for the data.

    Args:
        programs: the student, then the teacher where there is one.
        data: as ``voc:PATH``.
        log: takes a line for each thing that follows from the data.

    Raises:
        DataError: the data cannot be read.
        LoadError: a program cannot be read.
    """
    from graphprobe.config import DataSection, scale_schedule
    from graphprobe.config.length import default_iterations, length_text
    from graphprobe.data.open import open_data, opened_once
    from graphprobe.emit import exported_schedule, published_schedule

    to_train, to_evaluate = parts_of(data, source_of(programs[0]))
    section = DataSection(train=to_train, val=to_evaluate)
    with opened_once():
        opened = open_data(to_train)
    loaded = [load(fit_classes(one, opened.class_names, log)) for one in programs]
    found = [one.program for one in loaded]
    if is_exported(loaded[0]):
        train = exported_schedule(section, *found)
    else:
        train = published_schedule(opened.task, section, *found)
        train = fit_image_size(train, opened, found, log)
    total = default_iterations(len(opened), train.batch_size, train)
    longer = train.model_copy(update={"max_iters": total})
    words = [f"train.max_iters={total}"]
    fitted, _ = scale_schedule(longer, 1, words, made_for=train.max_iters)
    log(f"data: trains on {to_train}; evaluates on {to_evaluate or 'nothing'}")
    log(length_text(fitted, len(opened), 1))
    return DataSettings(loaded, fitted, opened)


def fit_classes(program: ProgramLike, classes: Sequence[str], log: Log) -> ProgramLike:
    """A bundled model with an output for each class of the data; any other program as it is."""
    from graphprobe.zoo import parse_zoo, with_classes

    name = source_of(program)
    if not name.startswith(ZOO):
        return program
    given = parse_zoo(name)
    fitted = with_classes(given, len(classes))
    if fitted is given:
        return program
    log(f"{name}: takes {fitted}, for the data have {len(classes)} classes")
    return str(fitted)
