"""``graphprobe check``: prove a config on one batch without training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ._errors import ANSWER_IS_NO
from ._output import FORMAT, Format, deliver, say
from ._train import ALLOW_CODE, CONFIG, DEVICE, OVERRIDE, Device, open_config

if TYPE_CHECKING:
    from rich.table import Table

    from graphprobe.config import PruneConfig
    from graphprobe.errors import Problem
    from graphprobe.train.probe import Row, Verdict
    from graphprobe.train.prune_check import PruneReport


LEGEND = """\
  loss, gradient: of the weighted term, as multiples of the task's own on this batch.
  weight: of the config -> at which all terms send a gradient like the task's.
"""


def command(
    config: Path = CONFIG,
    override: list[str] | None = OVERRIDE,
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
    prove: bool = typer.Option(
        False,
        "--prove",
        help="Pruning: also compare each group's cut with the network whose channels are masked.",
    ),
    form: Format | None = FORMAT,
) -> None:
    """Merge, run one batch and look at every term: does this config train? Exit 1 if not."""
    settings = open_config(config, override, allow_code=allow_code)
    from graphprobe.config import DistillConfig, PruneConfig

    if isinstance(settings, PruneConfig):
        _check_prune(settings, str(config), form, prove=prove)
        return
    from graphprobe.train import probe
    from graphprobe.train.device import choose_place

    place = choose_place(device.value)
    if isinstance(settings, DistillConfig):
        verdict = probe.probe_distillation(settings, place, where=str(config), say=say)
    else:
        verdict = probe.probe_training(settings, place, where=str(config), say=say)
    deliver(
        lambda: probe.as_document(verdict),
        lambda: (("term", "passed", "loss/task", "grad/task", "suggested"), _csv(verdict)),
        lambda: [_table(verdict), LEGEND],
        form=form,
        output=None,
    )
    for warning in verdict.warnings:
        say(f"warning: {warning}")
    _say_problems(config, [*verdict.problems, *(p for row in verdict.rows for p in row.problems)])


def _check_prune(settings: PruneConfig, where: str, form: Format | None, *, prove: bool) -> None:
    from graphprobe.train.prune_check import check_prune

    report = check_prune(settings, prove=prove, where=where)
    groups = report.groups
    head = ("convolution", "together", "channels", "after", "difference")
    body = [(row.conv, row.convs, row.before, row.after, row.difference) for row in groups]
    deliver(
        lambda: {
            "passed": report.passed,
            "engine": report.engine,
            "groups": [dict(zip(head, row, strict=True)) for row in body],
            "problems": [str(problem) for problem in report.problems],
        },
        lambda: (head, body),
        lambda: [_prune_table(body), _sizes(report)],
        form=form,
        output=None,
    )
    for note in report.notes:
        say(note)
    _say_problems(where, report.problems)


def _say_problems(config: Path | str, problems: Iterable[Problem]) -> None:
    """Name every reason to standard error; exit 1 where there is one."""
    found = list(problems)
    for problem in found:
        say(f"failed: {config}: {problem}")
    if found:
        raise typer.Exit(ANSWER_IS_NO)


def _sizes(report: PruneReport) -> str:
    before, after = report.before, report.after
    return (
        f"  multiply-adds {before.flops / 1e9:.3g} G -> {after.flops / 1e9:.3g} G, "
        f"parameters {before.params:,} -> {after.params:,}; cut by {report.engine}\n"
        "  difference (--prove): from the network with those channels masked, over its largest "
        "output"
    )


def _prune_table(body: list[tuple[str, int, int, int, float | None]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("convolution", "together", "channels", "difference", box=box.SIMPLE_HEAD)
    for conv, together, before, after, difference in body:
        shown = "" if difference is None else f"{difference:.1e}"
        table.add_row(conv, str(together), f"{before} -> {after}", shown)
    return table


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
