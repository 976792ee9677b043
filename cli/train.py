"""``graphprobe train``: with a config, or from the names of programs and data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import typer

from ._line import Line, make_config, overrides_of, refuse_unclear, refuse_weights
from ._output import FORMAT, Format, deliver, log_to_stderr, say, to_text
from ._progress import terminal_bar
from ._train import ALLOW_CODE, DEVICE, OVERRIDE, Device, open_config
from .check import conclude, examine

if TYPE_CHECKING:
    from rich.table import Table

    from graphprobe.config import Config
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.reporting.result import Result

STOPPED = 130
Cut: TypeAlias = list[tuple[str, str, str, str]]


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
        help="What to train and evaluate on: voc:PATH, coco:PATH, cityscapes:PATH, digits.",
    ),
    prune: float | None = typer.Option(
        None,
        "--prune",
        metavar="SHARE",
        help="With --student: cut this share of the multiply-adds away first (0.5: half).",
    ),
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
    """Train, with a config or with --student; all that is written goes into train.output."""
    refuse_unclear(config, student, teacher, prune, data)
    # Without a config the data decide on more than two of its values, so they go another way.
    words = overrides_of(data if student is None else None, teacher_weights, override)
    from graphprobe.data.open import opened_once
    from graphprobe.training.distributed.ranks import rank

    with opened_once():
        if student is None:
            assert config is not None  # noqa: S101 - refuse_unclear has seen to it
            where, settings = str(config), open_config(config, words, allow_code=allow_code)
            networks = None
        else:
            refuse_weights(teacher, teacher_weights)
            line = Line(student, teacher, prune, data or "", tuple(words))
            where, settings, networks = _one_line(line, device, resume=resume is not None)
        from graphprobe.training.run import run_training

        bar = terminal_bar()
        result = run_training(
            settings,
            where=where,
            device=device.value,
            resume=resume,
            overrides=words,
            log=say if bar is None else bar.log,
            bar=bar,
            networks=networks,
        )
    if rank() == 0:
        _deliver(result, form)
    if result.stopped is not None:
        raise typer.Exit(STOPPED)


def _one_line(line: Line, device: Device, *, resume: bool) -> tuple[str, Config, Networks]:
    """Make the config, and prove it on one batch unless its run has begun."""
    from graphprobe.training.distributed.ranks import rank, world_size
    from graphprobe.training.runtime.dependencies import require_paddle

    require_paddle()
    log_to_stderr()
    from graphprobe.training.networks.source import Networks

    networks = Networks()
    path, config = make_config(line, networks, devices=world_size(), resume=resume)
    if not resume and rank() == 0:
        say("check: one batch")
        answer = examine(config, str(path), device, networks=networks)
        say(to_text(answer.tables()).strip("\n "))
        conclude(answer, str(path))
    return str(path), config, networks


def _deliver(result: Result, form: Format | None) -> None:
    rows = result.rows()
    cut = [] if result.cut is None else result.cut.rows(result.metric)
    deliver(
        result.document,
        lambda: (("what", "value", "before", "change"), _csv(rows, cut)),
        lambda: [_table(rows), *([_cut_table(cut)] if cut else [])],
        form=form,
        output=None,
    )


def _table(rows: list[tuple[str, str]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    for row in rows:
        table.add_row(*row)
    return table


def _cut_table(rows: Cut) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("", box=box.SIMPLE_HEAD)
    for head in ("before", "after the cut", "change"):
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _csv(rows: list[tuple[str, str]], cut: Cut) -> list[tuple[str, ...]]:
    """One line a figure; what a cut changed has its figure before, and the change."""
    plain = [(what, value, "", "") for what, value in rows]
    return [*plain, *((what, after, before, change) for what, before, after, change in cut)]
