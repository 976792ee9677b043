"""``graphprobe train``: train with a config, alone or from a teacher, from the start or on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ._output import FORMAT, Format, deliver, say
from ._train import ALLOW_CODE, CONFIG, DEVICE, OVERRIDE, Device, open_config

if TYPE_CHECKING:
    from rich.table import Table

    from graphprobe.train.result import Result

STOPPED = 130


def command(
    config: Path = CONFIG,
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
    """Train with a config; everything it writes goes into the config's train.output."""
    settings = open_config(config, override, allow_code=allow_code)
    from graphprobe.train.run import run_training

    result = run_training(settings, where=str(config), device=device.value, resume=resume, say=say)
    _deliver(result, form)
    if result.stopped is not None:
        raise typer.Exit(STOPPED)


def _deliver(result: Result, form: Format | None) -> None:
    rows = result.rows()
    deliver(
        result.document,
        lambda: (("what", "value"), rows),
        lambda: [_table(rows)],
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
