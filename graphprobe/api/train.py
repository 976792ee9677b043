"""Train: with a config, or from the names of programs and data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from graphprobe.api.early import (
    refuse_checkpoint,
    refuse_engine,
    refuse_program,
    refuse_settings,
    refuse_weights,
)
from graphprobe.api.exported_runs import parts_of, with_parts
from graphprobe.api.lengths import iterations_in, refuse_lengths, with_epochs
from graphprobe.api.made_configs import (
    checked_config,
    config_of_names,
    config_of_pruned_export,
    placed,
    words_of_made,
)
from graphprobe.api.progress import reporter
from graphprobe.api.results import Result, Table
from graphprobe.api.settings import (
    ConfigLike,
    Override,
    data_words,
    engine_words,
    open_config,
    override_words,
)
from graphprobe.errors import UsageError
from graphprobe.programs import ProgramLike, source_of
from graphprobe.pruning.ratios import check_share
from graphprobe.user_code import is_file

if TYPE_CHECKING:
    from graphprobe.api.check import CheckResult
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.reporting.progress import Log, ProgressBar
    from graphprobe.training.reporting.result import Result as RunResult


@dataclass(frozen=True, repr=False)
class TrainResult(Result):
    """The end of one run.

    Args:
        run: its figures.
    """

    run: RunResult

    @property
    def output(self) -> str:
        """The folder of the run; it stands wherever weights are asked for."""
        return self.run.output

    @property
    def metric(self) -> str:
        """What evaluation measures; empty where nothing was evaluated."""
        return self.run.metric

    @property
    def value(self) -> float | None:
        """The metric at the last evaluation."""
        return self.run.value

    @property
    def best(self) -> float | None:
        """The highest value."""
        return self.run.best

    @property
    def stopped(self) -> str | None:
        """The signal that ended the run early, or None."""
        return self.run.stopped

    def summary(self) -> str:
        """How far the run came, and where it is."""
        value = "" if self.value is None else f", {self.metric} {self.value:.4f}"
        stopped = "" if self.stopped is None else f", stopped by {self.stopped}"
        return (
            f"{self.run.program}: {self.run.iterations} iterations{value}{stopped}, {self.output}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Every figure."""
        return self.run.document()

    def to_rows(self) -> Table:
        """A row a figure; what pruning changed has its value before, and the change."""
        pruned = [] if self.run.pruning is None else self.run.pruning.rows(self.metric)
        rows = [
            *((what, value, "", "") for what, value in self.run.rows()),
            *((what, after, before, change) for what, before, after, change in pruned),
        ]
        return ("what", "value", "before", "change"), list(rows)


def train(
    config: ConfigLike | None = None,
    *,
    student: ProgramLike | None = None,
    teacher: ProgramLike | None = None,
    teacher_weights: str | os.PathLike[str] | None = None,
    data: str | None = None,
    prune: float | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    schedule: str | None = None,
    engine: str | None = None,
    override: Override = (),
    resume: str | None = None,
    device: str = "auto",
    allow_code: bool = False,
    progress: Log | None = None,
    bar: ProgressBar | None = None,
    on_check: Callable[[CheckResult], None] | None = None,
) -> TrainResult:
    """Train, with a config or with `student`; all that is written goes into ``train.output``.

    Args:
        config: a config or its file, of any kind, or a run's folder; or give `student`. What
            a pruning config leaves of an exported program is taught by the unpruned one.
        student: train this program without a config: a config is made, checked on one batch and
            written into the run's folder.
        teacher: with `student`: find the pairs and distil.
        teacher_weights: the teacher's trained weights, a path or an address.
        data: what to train and evaluate on: ``voc:PATH``, ``coco:PATH``, ``digits``, ...
        prune: with `student`: prune this share of the multiply-adds away first (0.5: half).
        epochs: train for so many passes over the data; warm-up and milestones keep their shares.
        minutes: train for about so long; a few steps are timed first.
        schedule: with `student`: ``auto`` (the default: the length follows the number of images) or
            ``published`` (as many images as the published schedule of the task).
        engine: of a pruning config: who prunes, ``own`` or ``paddleslim`` (``prune.engine``).
        override: what it sets in the config, as ``{"train.batch_size": 4}``.
        resume: go on from a checkpoint; ``auto``: from the newest whole one of the run's folder.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``gpu``.
        allow_code: whether a file may name the user's own code.
        progress: takes each line about the work; by default they are logged.
        bar: is given how far the run is; without it that is a line now and then.
        on_check: is given what the check of a made config found, before training begins.

    Raises:
        AnswerIsNo: nothing of student and teacher matches.
        CheckFailed: the made config cannot be trained with.
        ConfigError: the config has problems, or is for another program.
        GraphprobeError: anything else that a user can cause.

    Example:
        >>> run = graphprobe.train(student="zoo:yolov3_mobilenet_v1", data="digits")
        >>> graphprobe.evaluate(f"{run.output}/train.yaml")
    """
    from graphprobe.data.open import open_data, opened_once

    log = reporter(progress)
    _refuse_unclear(config, student, teacher, teacher_weights, prune, data)
    refuse_lengths(config, epochs, minutes, schedule, resume)
    words = override_words(override)
    weights = None if teacher_weights is None else os.fspath(teacher_weights)
    refuse_checkpoint(resume)
    refuse_weights(weights)
    with opened_once():
        networks: Networks | None = None
        if student is None:
            assert config is not None  # noqa: S101 - _refuse_unclear has seen to it
            words = [*data_words(data), *engine_words(engine), *_teacher_words(weights), *words]
            words, later = words_of_made(config, words, allow_code=allow_code)
            settings, where = open_config(config, words, allow_code=allow_code)
            settings = with_parts(settings, data, override_words(override))
            made_for = iterations_in(config)
            if epochs is not None:
                settings, words = with_epochs(settings, epochs, words)
            settings = placed(settings, where, resume, log)
            if settings.kind == "prune" and is_file(settings.student.program):
                given = (*words, *later)
                make = partial(config_of_pruned_export, settings, where, given, resume, log)
                settings, where, networks = checked_config(make, device, resume, log, on_check)
        else:
            # Without a config the data decide on more than two of its values.
            words = [*engine_words(engine), *_teacher_words(weights), *words]
            check_share("prune", prune)
            refuse_engine(engine)
            for one in (student, teacher):
                refuse_program(one)
            refuse_settings(student, words)
            open_data(parts_of(data or "", source_of(student))[0])
            from graphprobe.api.quick_config import QuickTrainRequest

            request = QuickTrainRequest(
                student, teacher, prune, data or "", tuple(words), epochs, schedule or "auto"
            )
            make = partial(config_of_names, request, resume, log)
            settings, where, networks = checked_config(make, device, resume, log, on_check)
            made_for = settings.train.max_iters
        from graphprobe.pairing.output_kinds import output_kinds
        from graphprobe.training.run import run_training

        run = run_training(
            settings,
            where=where,
            device=device,
            resume=resume,
            overrides=words,
            made_for=made_for,
            minutes=minutes,
            log=log,
            bar=bar,
            networks=networks,
            find_outputs=output_kinds,
        )
    return TrainResult(run)


def _teacher_words(weights: str | None) -> Sequence[str]:
    return () if weights is None else (f"teacher.weights={json.dumps(weights)}",)


def _refuse_unclear(
    config: ConfigLike | None,
    student: ProgramLike | None,
    teacher: ProgramLike | None,
    teacher_weights: object,
    prune: float | None,
    data: str | None,
) -> None:
    """Report what is missing or too much.

    Raises:
        UsageError: neither or both of config and student, or parameters of the other form.
    """
    if config is not None:
        given = {"student": student, "teacher": teacher, "prune": prune}
        extra = [f"{name}={value!r}" for name, value in given.items() if value is not None]
        if extra:
            raise UsageError(
                f"a config names its programs, so {', '.join(extra)} cannot stand beside it",
                where=os.fspath(config) if isinstance(config, (str, os.PathLike)) else "config",
                hint="give either a config or student=PROGRAM",
            )
    elif student is None:
        hint = "name a config, or student=PROGRAM data='voc:PATH' (with teacher=PROGRAM)"
        raise UsageError("nothing to train", where="train", hint=hint)
    elif data is None:
        hint = "as data='voc:PATH', coco:PATH, cityscapes:PATH, images:FOLDER or digits"
        raise UsageError("the data are not named", where="student", hint=hint)
    elif teacher_weights is not None and teacher is None:
        raise UsageError(
            "there is no teacher", where="teacher_weights", hint="name it with teacher=PROGRAM"
        )
