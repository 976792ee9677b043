"""A run without a config: from the names of programs and data to the config that trains them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from graphprobe.errors import CheckpointError, UsageError

from ._errors import ANSWER_IS_NO
from ._output import say

if TYPE_CHECKING:
    from graphprobe.config import Config, DataSection, PruneConfig, TrainSection
    from graphprobe.ir import Program
    from graphprobe.pairing.find import PairReport
    from graphprobe.training.networks.source import Networks

Notes = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Line:
    """What the command line names.

    Args:
        student: a PROGRAM.
        teacher: a PROGRAM, or None to train the student alone.
        prune: the share of the multiply-adds that is cut away first, or None.
        data: a folder, as ``voc:PATH``.
        overrides: what it sets in the config, as ``train.batch_size=4``.
    """

    student: str
    teacher: str | None
    prune: float | None
    data: str
    overrides: tuple[str, ...]


def make_config(
    line: Line, networks: Networks, *, devices: int, resume: bool
) -> tuple[Path, Config]:
    """Find the pairs and the cut, then write the configs into the folder of the run.

    Args:
        line: what the command line names.
        networks: of the command; the programs are loaded there.
        devices: processes that train together.
        resume: whether the folder may hold a run already.

    Returns:
        the config's file and the config itself.

    Raises:
        GraphprobeError: a program or the data cannot be read, or the line does not go together.
    """
    from graphprobe.config import config_text, override_config, scale_schedule
    from graphprobe.files import write_whole

    draft, notes, cut = _draft(line, networks)
    config = override_config(draft, line.overrides, where="-o")
    train, said = scale_schedule(
        config.train, devices, line.overrides, made_for=draft.train.max_iters
    )
    for text in said:
        say(text)
    if cut is not None and config.student.weights is None:
        say("warning: student.weights is not set: channels are ranked by random first values")
    folder = _open_folder(Path(train.output), resume=resume)
    update: dict[str, object] = {"train": train}
    if cut is not None and config.kind == "distill":
        path = folder / "prune.yaml"
        write_whole(path, config_text(cut, file=str(path), notes=notes))
        say(f"wrote {path}")
        update["prune"] = str(path)
    config = config.model_copy(update=update)
    path = folder / f"{config.kind}.yaml"
    write_whole(path, config_text(config, file=str(path), notes=notes))
    say(f"wrote {path}")
    return path, config


def _draft(line: Line, networks: Networks) -> tuple[Config, Notes, PruneConfig | None]:
    """The config before overrides, what its comments say, and the cut."""
    from graphprobe.config import DataSection, TrainConfig
    from graphprobe.data.open import open_data
    from graphprobe.data.splits import train_and_val
    from graphprobe.emit import program_ref, published_schedule

    to_train, to_evaluate = train_and_val(line.data)
    data = DataSection(train=to_train, val=to_evaluate)
    _say_data(data)
    names = [name for name in (line.student, line.teacher) if name is not None]
    for name in names:
        _refuse_file(name)
    opened = open_data(data.train)
    loaded = [networks.programs.load(_fitted(name, opened.class_names)) for name in names]
    programs = [found.program for found in loaded]
    train = published_schedule(opened.task, data, *programs)
    train = train.model_copy(update={"output": f"runs/{_run_name(line)}"})
    cut, notes = _cut(line, programs[0], train)
    if line.teacher is not None:
        return *_with_teacher(programs[0], programs[1], train, cut, notes, networks), cut
    if cut is not None:
        return cut, notes, cut
    alone = TrainConfig(version=1, kind="train", student=program_ref(programs[0]), train=train)
    return alone, notes, None


def _refuse_file(program: str) -> None:
    from graphprobe.user_code import ZOO, is_code

    if not program.startswith(ZOO) and not is_code(program):
        raise UsageError(
            "a program in a file does not say what its inputs mean, so it cannot be trained",
            where=program,
            hint="name a bundled model, as zoo:yolov3_r34, or your own function, as module:build",
        )


def _say_data(data: DataSection) -> None:
    say(f"data: trains on {data.train}; evaluates on {data.val or 'nothing'}")
    if data.val is None:
        say("warning: no evaluation; name its data with -o train.data.val=...")


def _fitted(program: str, classes: Sequence[str]) -> str:
    """A bundled model gets an output for each class of the data."""
    from graphprobe.user_code import ZOO
    from graphprobe.zoo import parse_zoo, with_classes

    if not program.startswith(ZOO):
        return program
    given = parse_zoo(program)
    fitted = with_classes(given, len(classes))
    if fitted is given:
        return program
    say(f"{program}: takes {fitted}, for the data have {len(classes)} classes")
    return str(fitted)


def _run_name(line: Line) -> str:
    words = [_stem(line.student)]
    if line.teacher is not None:
        words += ["from", _stem(line.teacher)]
    if line.prune is not None:
        words += ["pruned", f"{line.prune:g}"]
    return "_".join(words)


def _stem(program: str) -> str:
    name = program.removeprefix("zoo:").partition("?")[0]
    return re.sub(r"[^\w.-]+", "_", Path(name).name).strip("_") or "model"


def _cut(line: Line, student: Program, train: TrainSection) -> tuple[PruneConfig | None, Notes]:
    """The cut that takes a share of the multiply-adds away, whole groups at a time."""
    if line.prune is None:
        return None, {}
    from graphprobe.api.prune_selection import PruneSelection
    from graphprobe.emit import prune_config
    from graphprobe.programs import LoadedProgram
    from graphprobe.pruning.decisions import find_prunable
    from graphprobe.pruning.ratios import Limits, choose
    from graphprobe.pruning.regex import names_regex

    size = train.image_size
    limits = Limits(image=(size, size))
    choice = choose(find_prunable(student, "coupled"), target_flops=line.prune, limits=limits)
    regex = names_regex(choice.params, (var.name for var in student.parameters))
    whole = LoadedProgram(student.origin.source, student)
    summary = PruneSelection(whole, choice, regex).sizes()
    for text in summary:
        say(f"prune: at {size} x {size} pixels, {text}")
    found = prune_config(choice, student, regex)
    return found.model_copy(update={"train": train}), {"summary": summary}


def _with_teacher(
    student: Program,
    teacher: Program,
    train: TrainSection,
    cut: PruneConfig | None,
    notes: Notes,
    networks: Networks,
) -> tuple[Config, Notes]:
    """The distillation of what the cut leaves; exit 1 where nothing matches."""
    from graphprobe.emit import distill_config, distill_notes, program_ref
    from graphprobe.pairing.find import find_pairs

    report = find_pairs(student, teacher)
    if cut is not None:
        report = _after_cut(report, student, teacher, cut, networks)
    for text in report.warnings:
        say(f"warning: {text}")
    if not report.pairs:
        raise typer.Exit(ANSWER_IS_NO)
    _say_pairs(report)
    config = distill_config(report, student, teacher)
    config = config.model_copy(update={"student": program_ref(student), "train": train})
    return config, {**notes, **distill_notes(report)}


def _after_cut(
    whole: PairReport, student: Program, teacher: Program, cut: PruneConfig, networks: Networks
) -> PairReport:
    """The pairs of the smaller student: adapters have its channels, what no longer fits is out."""
    from graphprobe.pairing.find import find_pairs

    report = find_pairs(networks.source(student.origin.source).after(cut.prune), teacher)
    left = {(pair.student, pair.teacher) for pair in report.pairs}
    for pair in whole.pairs:
        if (pair.student, pair.teacher) not in left:
            say(f"warning: {pair.student} <- {pair.teacher} does not fit after the cut; left out")
    return report


def _say_pairs(report: PairReport) -> None:
    for pair in report.pairs:
        say(f"pair: {pair.student} <- {pair.teacher}, {pair.role}: {pair.loss} x {pair.weight:g}")


def _open_folder(folder: Path, *, resume: bool) -> Path:
    from graphprobe.training.weights.checkpoint import refuse_old_run

    if not resume:
        refuse_old_run(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"cannot be made ({error.strerror})", where=str(folder), hint="set train.output"
        ) from error
    return folder


def overrides_of(
    data: str | None, teacher_weights: str | None, overrides: Sequence[str] | None
) -> list[str]:
    """What ``--data`` and ``--teacher-weights`` set in a config, before ``-o``."""
    from graphprobe.data.splits import train_and_val

    found = []
    if data is not None:
        train, val = train_and_val(data)
        found += [f"train.data.train={json.dumps(train)}", f"train.data.val={json.dumps(val)}"]
    if teacher_weights is not None:
        found.append(f"teacher.weights={json.dumps(teacher_weights)}")
    return [*found, *(overrides or ())]


def refuse_unclear(
    config: Path | None,
    student: str | None,
    teacher: str | None,
    prune: float | None,
    data: str | None,
) -> None:
    """Say what is missing or too much on the command line.

    Raises:
        UsageError: neither or both of CONFIG and --student, or options of the other form.
    """
    if config is not None:
        given = {"--student": student, "--teacher": teacher, "--prune": prune}
        extra = [name for name, value in given.items() if value is not None]
        if extra:
            raise UsageError(
                f"a config names its programs, so {', '.join(extra)} cannot stand beside it",
                where=str(config),
                hint="give either a config or --student",
            )
    elif student is None:
        raise UsageError(
            "nothing to train",
            where="graphprobe train",
            hint="name a config, or --student PROGRAM --data voc:PATH (with --teacher PROGRAM)",
        )
    elif data is None:
        hint = "as --data voc:PATH, coco:PATH, cityscapes:PATH or digits"
        raise UsageError("the data are not named", where="--student", hint=hint)


def refuse_weights(teacher: str | None, teacher_weights: str | None) -> None:
    """A teacher's weights need a teacher.

    Raises:
        UsageError: there is none.
    """
    if teacher_weights is not None and teacher is None:
        raise UsageError(
            "there is no teacher", where="--teacher-weights", hint="name it with --teacher PROGRAM"
        )
