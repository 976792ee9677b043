"""A run that was trained before: what evaluation, inference and export open."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from graphprobe.api.early import refuse_checkpoint, refuse_untrained, refuse_weights
from graphprobe.api.settings import ConfigLike, Override, override_words, read_settings
from graphprobe.errors import LoadError, UsageError
from graphprobe.programs import load

if TYPE_CHECKING:
    from graphprobe.config import Config
    from graphprobe.data.sample import Dataset
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.reporting.progress import Log
    from graphprobe.training.trained import Trained


@dataclass(frozen=True)
class TrainedRun:
    """A config for weights that were trained before, with what they were trained with.

    Args:
        settings: the config.
        where: what to call it in messages.
        checkpoint: the checkpoint that is meant, or ``auto``.
        weights: weights in place of a checkpoint, or None.
        log: takes each line about the work.
    """

    settings: Config
    where: str
    checkpoint: str
    weights: str | None
    log: Log

    def network(self, mode: str, place: Any, networks: Networks | None = None) -> Trained:
        """Build the student for ``eval`` or ``infer`` and load what it has learned.

        Raises:
            CheckpointError: there are no weights, they are damaged, or of another model.
            ConfigError: the config was made for another program.
        """
        from graphprobe.training.trained import open_trained

        return open_trained(
            self.settings,
            place,
            mode,
            where=self.where,
            checkpoint=self.checkpoint,
            weights=self.weights,
            networks=networks,
        )

    def validation(self, trained: Trained) -> Dataset:
        """The validation data, with the classes that the weights were trained on.

        Raises:
            DataError: they cannot be read, or their classes are others.
        """
        from graphprobe.training.feeding.feeding import open_validation
        from graphprobe.training.run_record import compare_class_names

        found = open_validation(self.settings.train, trained.built)
        lines = compare_class_names(
            trained.class_names,
            found.class_names,
            spec=str(self.settings.train.data.val),
            source=trained.source,
        )
        for line in lines:
            self.log(line)
        return found


def open_trained_run(
    config: ConfigLike,
    override: Override,
    *,
    resume: str,
    weights: str | None,
    data: str | None = None,
    allow_code: bool,
    log: Log,
    look: Callable[[], None] | None = None,
) -> TrainedRun:
    """Open the config of a run for its weights.

    Args:
        config: as `open_config` takes it; or, with `data`, an exported program that is measured as
            it is.
        override: what it sets in the config.
        resume: a checkpoint's folder or ``auto``.
        weights: weights in place of a checkpoint, or None.
        data: what to measure on, or None for what the weights were evaluated on in training.
        allow_code: whether a file may name the user's own code.
        log: takes each line about the work: first one for each value of the config that is not the
            run's.
        look: looks at what else the caller was given, before Paddle is imported.

    Raises:
        as `open_config`; DataError: nothing is there to measure on.
    """
    words = [*_val_words(data), *override_words(override)]
    if data is not None and weights is None and resume == "auto" and is_program(config):
        weights = os.fspath(config)
        config = config_of_program(weights, data)
    elif (weights is not None or resume != "auto") and is_exported(config):
        raise UsageError(
            "is an exported program, which has its parameters beside it",
            where=os.fspath(config),
            hint="leave weights and resume out, or name a config whose student it is",
        )
    from graphprobe.training.runtime.dependencies import refuse_missing_paddle, require_paddle

    settings, where = read_settings(config, words, allow_code=allow_code)
    refuse_missing_paddle()
    refuse_weights(weights)
    refuse_checkpoint(resume)
    if look is not None:
        look()
    from graphprobe.training.run_folder import newest_run
    from graphprobe.training.run_record import as_trained, find_record
    from graphprobe.training.weights.checkpoint import is_checkpoint

    if resume == "auto" and isinstance(config, (str, os.PathLike)):
        if is_checkpoint(Path(where)):
            resume = where
        elif weights is None and not Path(where).is_dir():
            output = str(newest_run(Path(settings.train.output)))
            train = settings.train.model_copy(update={"output": output})
            settings = settings.model_copy(update={"train": train})
    wants_run = resume == "auto" and weights is None
    if wants_run and not is_checkpoint(Path(settings.train.output)):
        refuse_untrained(settings.train.output)
    require_paddle()
    record = find_record(settings, resume, weights)
    settings, lines = as_trained(settings, record, words, where=where)
    for line in lines:
        log(line)
    return TrainedRun(settings, where, resume, weights, log)


def is_program(config: ConfigLike) -> TypeGuard[str | os.PathLike[str]]:
    """Whether a name is that of an exported program, and not of a run, a checkpoint or a config."""
    from graphprobe.formats import find_file
    from graphprobe.training.run_record import CONFIG

    if not isinstance(config, (str, os.PathLike)):
        return False
    path = Path(config)
    if path.is_file():
        return path.suffix not in (".yaml", ".yml")
    if not path.is_dir() or (path / CONFIG).exists() or (path / "checkpoints").exists():
        return False
    try:
        find_file(path, str(path))
    except LoadError:
        return False
    return True


def is_exported(config: ConfigLike) -> TypeGuard[str | os.PathLike[str]]:
    """Whether a name is that of a file, or a folder, that reads as an exported program."""
    from graphprobe.api.run_programs import is_program_file

    return is_program(config) and is_program_file(config)


def no_data_named(program: str | os.PathLike[str]) -> UsageError:
    """The refusal of an exported program that is to be measured on nothing."""
    return UsageError(
        "is an exported program, and what it is measured on is not named",
        where=os.fspath(program),
        hint="as data='coco:PATH', folder:PATH or seg:PATH; or name the folder of a run",
    )


def config_of_program(program: str, data: str) -> Config:
    """A config that measures an exported program with the parameters beside it."""
    from graphprobe.config import DataSection, ProgramRef, TrainConfig
    from graphprobe.data.splits import train_and_val
    from graphprobe.emit import exported_schedule

    alone, val = train_and_val(data)
    section = DataSection(train=alone, val=val or alone)
    train = exported_schedule(section, load(program).program)
    return TrainConfig(version=1, kind="train", student=ProgramRef(program=program), train=train)


def _val_words(data: str | None) -> Sequence[str]:
    from graphprobe.data.splits import train_and_val

    if data is None:
        return ()
    alone, val = train_and_val(data)
    return (f"train.data.val={json.dumps(val or alone)}",)
