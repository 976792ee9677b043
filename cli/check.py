"""``graphprobe check``: prove a config on one batch without training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ._errors import ANSWER_IS_NO
from ._output import FORMAT, Format, deliver, say
from ._train import ALLOW_CODE, CONFIG, DEVICE, OVERRIDE, Device, open_config

if TYPE_CHECKING:
    from rich.table import Table

    from graphprobe.train.probe import Row, Verdict


LEGEND = """\
  loss, gradient: of the weighted term, as multiples of the task's own on this batch.
  weight: of the config -> at which all terms send a gradient like the task's.
"""


def command(
    config: Path = CONFIG,
    override: list[str] | None = OVERRIDE,
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
    form: Format | None = FORMAT,
) -> None:
    """Merge, run one batch and look at every term: does this config train? Exit 1 if not."""
    settings = open_config(config, override, allow_code=allow_code)
    from graphprobe.config import DistillConfig
    from graphprobe.train.device import choose_place
    from graphprobe.train.probe import as_document, probe_distillation

    place = choose_place(device.value)
    if isinstance(settings, DistillConfig):
        verdict = probe_distillation(settings, place, where=str(config), say=say)
    deliver(
        lambda: as_document(verdict),
        lambda: (("term", "passed", "loss/task", "grad/task", "suggested"), _csv(verdict)),
        lambda: [_table(verdict), LEGEND],
        form=form,
        output=None,
    )
    for warning in verdict.warnings:
        say(f"warning: {warning}")
    for problem in (*verdict.problems, *(p for row in verdict.rows for p in row.problems)):
        say(f"failed: {config}: {problem}")
    if not verdict.passed:
        raise typer.Exit(ANSWER_IS_NO)


def _csv(verdict: Verdict) -> list[tuple[object, ...]]:
    return [
        (row.term, not row.problems, row.share, row.gradient_share, row.suggested)
        for row in verdict.rows
    ]


def _table(verdict: Verdict) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        "term", "student <- teacher", "loss", "gradient", "weight", "", box=box.SIMPLE_HEAD
    )
    task = verdict.task
    if task is not None:
        table.add_row("task", "", f"{task.value:.4g}", f"{task.gradient:.4g}")
    for row in verdict.rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    pairs = "\n".join(f"{student} <- {teacher}" for student, teacher in row.pairs)
    weight = f"{row.weight:g}" + (f" -> {row.suggested:g}" if row.suggested else "")
    state = "failed" if row.problems else "ok"
    return row.term, pairs, _times(row.share), _times(row.gradient_share), weight, state


def _times(value: float | None) -> str:
    return "" if value is None else f"x {value:.3g}"
