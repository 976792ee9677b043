"""A run without a config: from the names of programs and data to the config that trains them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from graphprobe.api.data_settings import fit_classes
from graphprobe.api.exported_runs import images_line, parts_of, with_own_teacher
from graphprobe.api.image_sizes import fit_image_size
from graphprobe.api.prunable import find_prunable
from graphprobe.api.pruned_pairs import pairs_after_pruning
from graphprobe.api.run_programs import is_exported, ref_of
from graphprobe.api.settings import place_run
from graphprobe.api.task_loss import task_of
from graphprobe.errors import CheckpointError
from graphprobe.programs import LoadedProgram, ProgramLike, load, source_of
from graphprobe.user_code import is_file

if TYPE_CHECKING:
    from graphprobe.config import Config, PruneConfig, TrainSection
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.reporting.progress import Log

# What exporters call the file of any program.
_FILE_STEMS = ("inference", "model", "__model__")
Notes = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class QuickTrainRequest:
    """What is to be trained, by names alone.

    Args:
        student: a program.
        teacher: a program, or None to train the student alone.
        prune: the share of the multiply-adds that is pruned away first, or None.
        data: a folder, as ``voc:PATH``.
        override: what it sets in the config, as ``train.batch_size=4``.
        epochs: passes over the data; None: by their number of samples.
        schedule: ``auto``: the length follows the data; ``published``: it does not.
    """

    student: ProgramLike
    teacher: ProgramLike | None
    prune: float | None
    data: str
    override: tuple[str, ...]
    epochs: float | None = None
    schedule: str = "auto"


@dataclass(frozen=True)
class _Draft:
    """A config before overrides, its comments, and the pruning config beside it."""

    config: Config
    notes: Notes
    pruning: PruneConfig | None = None
    samples: int = 0


def make_config(
    request: QuickTrainRequest, networks: Networks, *, devices: int, resume: bool, log: Log
) -> tuple[Path, Config]:
    """Find the pairs and the pruning, then write the configs into the folder of the run.

    Args:
        request: what is to be trained.
        networks: of the command; the programs are loaded there.
        devices: processes that train together.
        resume: whether the folder may hold a run already.
        log: takes each line about what was found.

    Returns:
        the config's file and the config itself.

    Raises:
        AnswerIsNo: nothing of student and teacher matches.
        GraphprobeError: a program or the data cannot be read, or they do not go together.
    """
    from graphprobe.config import is_named, override_config, scale_schedule
    from graphprobe.config.length import default_iterations, iterations_of

    draft = _draft(request, networks, log)
    config = override_config(draft.config, request.override, where="override")
    published = draft.config.train
    words = list(request.override)
    train = config.train
    if not is_named("train.max_iters", words) and request.schedule == "auto":
        batch = train.batch_size * devices
        if request.epochs is None:
            log(
                f"length: by the {draft.samples:,} images; epochs=N, minutes=N or "
                "schedule=published give another"
            )
            total = default_iterations(draft.samples, batch, published)
        else:
            total = iterations_of(request.epochs, draft.samples, batch)
        train = train.model_copy(update={"max_iters": total})
        words.append(f"train.max_iters={total}")
    train, lines = scale_schedule(train, devices, words, made_for=published.max_iters)
    for line in lines:
        log(line)
    if draft.pruning is not None and not _has_weights(config, networks):
        log("warning: student.weights is not set: channels are ranked by random first values")
    folder = place_run(Path(train.output), resume=resume, log=log)
    config = config.model_copy(update={"train": train.model_copy(update={"output": str(folder)})})
    return write_configs(config, draft.pruning, draft.notes, log)


def write_configs(
    config: Config, pruning: PruneConfig | None, notes: Notes, log: Log
) -> tuple[Path, Config]:
    """Write a config into the folder of its run, and what it prunes beside it.

    Args:
        config: of any kind.
        pruning: what a distillation prunes first, or None.
        notes: the comments of both.
        log: takes a line a file.

    Raises:
        CheckpointError: the folder cannot be made.
    """
    from graphprobe.config import config_text
    from graphprobe.files import write_whole

    folder = Path(config.train.output)
    texts: dict[Path, str] = {}
    if pruning is not None and config.kind == "distill":
        path = folder / "prune.yaml"
        texts[path] = config_text(pruning, file=str(path), notes=notes)
        config = config.model_copy(update={"prune": str(path)})
    path = folder / f"{config.kind}.yaml"
    texts[path] = config_text(config, file=str(path), notes=notes)
    _make_folder(folder)
    for made, text in texts.items():
        write_whole(made, text)
        log(f"wrote {made}")
    return path, config


def _draft(request: QuickTrainRequest, networks: Networks, log: Log) -> _Draft:
    from graphprobe.config import DataSection, TrainConfig, is_named
    from graphprobe.data.open import open_data
    from graphprobe.emit import exported_schedule, published_schedule

    to_train, to_evaluate = parts_of(request.data, source_of(request.student))
    data = DataSection(train=to_train, val=to_evaluate)
    log(f"data: trains on {data.train}; evaluates on {data.val or 'nothing'}")
    name = _run_name(request)
    given = [one for one in (request.student, request.teacher) if one is not None]
    for one in given:
        if not isinstance(one, (str, os.PathLike)):
            load(one).require_name("program")
    opened = open_data(data.train)
    if data.val is None:
        log("warning: no evaluation; name its data: train.data.val")
    loaded = [_loaded(fit_classes(one, opened.class_names, log), networks) for one in given]
    task = None
    if is_exported(loaded[0]):
        task = task_of(loaded[0], opened, log)
        if task is None or request.prune is not None:
            loaded = with_own_teacher(loaded, request.prune, log)
        train = exported_schedule(data, *(one.program for one in loaded))
        if opened.task != "arrays":
            of_run = _of_run(train, request.override)
            log(images_line(networks.source(ref_of(loaded[0]).program), of_run))
    else:
        programs = [one.program for one in loaded]
        train = published_schedule(opened.task, data, *programs)
        if request.schedule == "auto" and not is_named("train.image_size", request.override):
            train = fit_image_size(train, opened, programs, log)
    train = train.model_copy(update={"output": f"runs/{name}"})
    size = _of_run(train, request.override).input_size
    pruning, notes = _pruning(request.prune, loaded[0], train, size, log)
    if len(loaded) > 1:
        boxes = opened.task == "detection"
        made = _with_teacher(loaded[0], loaded[1], boxes, train, pruning, notes, networks, log)
        made = replace(made, config=made.config.model_copy(update={"task": task}))
    elif pruning is not None:
        made = _Draft(pruning, notes, pruning)
    else:
        student = ref_of(loaded[0])
        alone = TrainConfig(version=1, kind="train", student=student, task=task, train=train)
        made = _Draft(alone, notes)
    return replace(made, samples=len(opened))


def _loaded(program: ProgramLike, networks: Networks) -> LoadedProgram:
    """The program, by the network that will be built from it: the user's code runs once a mode."""
    if isinstance(program, (str, os.PathLike)):
        return networks.source(os.fspath(program)).loaded
    return networks.programs.load(program)


def _has_weights(config: Config, networks: Networks) -> bool:
    source = networks.source(config.student.program)
    return config.student.weights is not None or source.exported is not None


def _run_name(request: QuickTrainRequest) -> str:
    words = [_stem(source_of(request.student))]
    if request.teacher is not None:
        words += ["from", _stem(source_of(request.teacher))]
    if request.prune is not None:
        words += ["pruned", f"{request.prune:g}"]
    return "_".join(words)


def _stem(program: str) -> str:
    name = Path(program.removeprefix("zoo:").partition("?")[0])
    # Exporters call all files alike; the folder names the model.
    stem = name.parent.name if is_file(program) and name.stem in _FILE_STEMS else name.name
    return re.sub(r"[^\w.-]+", "_", stem).strip("_") or "model"


def _of_run(train: TrainSection, override: Sequence[str]) -> TrainSection:
    """The section with the sizes and the preparation of images that the run will have.

    A wrong override is left out here: it is reported with all problems of the config.
    """
    from graphprobe.config import TrainSection, apply_overrides, is_named

    keys = ("image_size", "preparation")
    words = [w for w in override if any(is_named(f"train.{key}", [w]) for key in keys)]
    plain = train.model_dump(mode="json", include=set(keys))
    document, _ = apply_overrides({"train": plain}, words)
    try:
        found = TrainSection.model_validate(document["train"])
    except (ValueError, TypeError):
        return train
    return train.model_copy(update={key: getattr(found, key) for key in keys})


def _pruning(
    share: float | None,
    student: LoadedProgram,
    train: TrainSection,
    size: tuple[int, int],
    log: Log,
) -> tuple[PruneConfig | None, Notes]:
    """The pruning that takes a share of the multiply-adds away, whole groups at a time.

    Args:
        size: H and W of the images, in pixels.
    """
    if share is None:
        return None, {}
    found = find_prunable(student, policy="coupled", target_flops=share, image=size)
    summary = found.sizes()
    for text in summary:
        log(f"prune: at {size[0]} x {size[1]} pixels, {text}")
    return found.to_config().model_copy(update={"train": train}), {"summary": summary}


def _with_teacher(
    student: LoadedProgram,
    teacher: LoadedProgram,
    boxes: bool,
    train: TrainSection,
    pruning: PruneConfig | None,
    notes: Notes,
    networks: Networks,
    log: Log,
) -> _Draft:
    """The distillation of what pruning leaves, by losses that data with or without boxes allow."""
    from graphprobe.emit import distill_notes

    found = pairs_after_pruning(student, teacher, pruning, networks, boxes=boxes, log=log)
    # The config names the whole student; what is pruned away is in the pruning config.
    update = {"student": ref_of(student), "train": train}
    config = found.to_config().model_copy(update=update)
    return _Draft(config, {**notes, **distill_notes(found.report)}, pruning)


def _make_folder(folder: Path) -> None:
    """Make the folder of a run where it is not there.

    Raises:
        CheckpointError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"cannot be made ({error.strerror})", where=str(folder), hint="set train.output"
        ) from error
