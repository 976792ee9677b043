"""``graphprobe train``: with a config, or from the names of programs and data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import typer

from graphprobe.api.check import CheckFailed, CheckResult
from graphprobe.api.train import TrainResult, train

from ._errors import ANSWER_IS_NO
from ._escape import printable
from ._output import FORMAT, Format, deliver, folding_table, log, own_prints_to_stderr, to_text
from ._preparation import CHANNELS, MEAN, SCALE, SIZE, STD, preparation_words
from ._progress import terminal_bar
from ._train import ALLOW_CODE, DEVICE, ENGINE, OVERRIDE, Device
from .check import log_findings, tables

if TYPE_CHECKING:
    from rich.table import Table

STOPPED = 130
PrunedRows: TypeAlias = list[tuple[str, str, str, str]]


def command(
    config: Path | None = typer.Argument(
        None, help="A config file (kind: distill, prune or train); or give --student."
    ),
    student: str | None = typer.Option(
        None,
        "--student",
        metavar="PROGRAM",
        help="Train this without a config: a config is made, checked and written into the run's "
        "folder.",
    ),
    teacher: str | None = typer.Option(
        None, "--teacher", metavar="PROGRAM", help="With --student: find the pairs and distil."
    ),
    teacher_weights: str | None = typer.Option(
        None, "--teacher-weights", metavar="PATH|URL", help="The teacher's trained weights."
    ),
    data: str | None = typer.Option(
        None,
        "--data",
        metavar="NAME:PATH",
        help="What to train and evaluate on: voc:PATH, coco:PATH, yolo:PATH, seg:PATH, ...",
    ),
    prune: float | None = typer.Option(
        None,
        "--prune",
        metavar="SHARE",
        help="With --student: prune this share of the multiply-adds away first (0.5: half).",
    ),
    epochs: float | None = typer.Option(
        None, "--epochs", metavar="N", help="Train for so many passes over the data."
    ),
    minutes: float | None = typer.Option(
        None, "--minutes", metavar="N", help="Train for about so long."
    ),
    schedule: str | None = typer.Option(
        None,
        "--schedule",
        metavar="auto|published",
        help="With --student: auto, the length follows the data (default); published, as many "
        "images as the published schedule.",
    ),
    engine: str | None = ENGINE,
    mean: str | None = MEAN,
    std: str | None = STD,
    size: str | None = SIZE,
    channels: str | None = CHANNELS,
    scale: str | None = SCALE,
    override: list[str] | None = OVERRIDE,
    resume: str | None = typer.Option(
        None,
        "-r",
        "--resume",
        metavar="CHECKPOINT|auto",
        help="Go on from a checkpoint; auto: from the newest whole one of the run's folder.",
    ),
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
    form: Format | None = FORMAT,
) -> None:
    """Train, with a config or from the names of programs.

    All that is written goes into train.output; a second run there gets the next number.

    Example: graphprobe train --student zoo:yolov3_mobilenet_v1 --teacher zoo:yolov3_r34
    --data voc:VOCdevkit
    """
    bar = terminal_bar()
    with own_prints_to_stderr():
        try:
            result = train(
                config,
                student=student,
                teacher=teacher,
                teacher_weights=teacher_weights,
                data=data,
                prune=prune,
                epochs=epochs,
                minutes=minutes,
                schedule=schedule,
                engine=engine,
                override=[*preparation_words(mean, std, size, channels, scale), *(override or ())],
                resume=resume,
                device=device.value,
                allow_code=allow_code,
                progress=log if bar is None else bar.log,
                bar=bar,
                on_check=_log_check,
            )
        except CheckFailed:  # each problem has been reported
            raise typer.Exit(ANSWER_IS_NO) from None
    from graphprobe.training.distributed.ranks import rank

    if rank() == 0:
        _deliver(result, form)
    if result.stopped is not None:
        raise typer.Exit(STOPPED)


def _log_check(result: CheckResult) -> None:
    for line in to_text(tables(result)).splitlines():
        if line.strip():
            log(line.rstrip())
    log_findings(result)


def _deliver(result: TrainResult, form: Format | None) -> None:
    pruned = [] if result.run.pruning is None else result.run.pruning.rows(result.metric)
    deliver(
        result,
        lambda: [_table(result.run.rows()), *([_pruning_table(pruned)] if pruned else [])],
        form=form,
    )


def _table(rows: list[tuple[str, str]]) -> Table:
    table = folding_table("", "", show_header=False)
    for row in rows:
        table.add_row(*map(printable, row))
    return table


def _pruning_table(rows: PrunedRows) -> Table:
    figures = ("before", "after pruning", "change")
    table = folding_table("", *figures, right=figures)
    for row in rows:
        table.add_row(*map(printable, row))
    return table
