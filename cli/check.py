"""``graphprobe check``: prove a config on one batch without training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ._errors import ANSWER_IS_NO
from ._output import FORMAT, Format, Rows, deliver, say
from ._train import ALLOW_CODE, CONFIG, DEVICE, OVERRIDE, Device, open_config

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from graphprobe.config import Config, PruneConfig
    from graphprobe.errors import Problem
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.pruning.proof import PruneReport
    from graphprobe.training.reporting.verdict import TermRow, Verdict


LEGEND = """\
  loss, gradient: of the weighted term, over the task's on this batch.
  weight: of the config -> at which all terms send a gradient like the task's.
"""


@dataclass(frozen=True)
class Answer:
    """What a check found, in the forms that it can be told in."""

    document: Callable[[], Any]
    rows: Callable[[], Rows]
    tables: Callable[[], list[RenderableType]]
    notes: Sequence[str]
    problems: Sequence[Problem]


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
    answer = examine(settings, str(config), device, prove=prove)
    deliver(answer.document, answer.rows, answer.tables, form=form, output=None)
    conclude(answer, str(config))


def examine(
    settings: Config,
    where: str,
    device: Device,
    *,
    prove: bool = False,
    networks: Networks | None = None,
) -> Answer:
    """Run the check that the kind of a config asks for.

    Args:
        networks: of the command; keeps what is built for a run that follows.

    Raises:
        GraphprobeError: the programs, their weights or the data cannot be opened.
    """
    from graphprobe.config import DistillConfig, PruneConfig
    from graphprobe.training.check import probe_distillation, probe_training
    from graphprobe.training.reporting.verdict import as_document, describe_teacher
    from graphprobe.training.runtime.device import choose_place

    place = choose_place(device.value, say)
    if isinstance(settings, PruneConfig):
        return _examine_cut(settings, place, where, prove=prove, networks=networks)
    if isinstance(settings, DistillConfig):
        verdict = probe_distillation(settings, place, where=where, log=say, networks=networks)
    else:
        verdict = probe_training(settings, place, where=where, log=say, networks=networks)
    runs = describe_teacher(verdict)
    return Answer(
        lambda: as_document(verdict),
        lambda: (("term", "passed", "loss/task", "grad/task", "suggested"), _csv(verdict)),
        lambda: [_table(verdict), f"  {runs}\n{LEGEND}" if runs else LEGEND],
        [f"warning: {warning}" for warning in verdict.warnings],
        [*verdict.problems, *(p for row in verdict.rows for p in row.problems)],
    )


def _examine_cut(
    settings: PruneConfig, place: Any, where: str, *, prove: bool, networks: Networks | None
) -> Answer:
    from graphprobe.training.pruning.proof import check_prune

    report = check_prune(settings, place, prove=prove, where=where, log=say, networks=networks)
    head = ("convolution", "together", "channels", "after", "difference")
    body = [(row.conv, row.convs, row.before, row.after, row.difference) for row in report.groups]
    return Answer(
        lambda: {
            "passed": report.passed,
            "engine": report.engine,
            "groups": [dict(zip(head, row, strict=True)) for row in body],
            "before": asdict(report.before),
            "after": asdict(report.after),
            "changed": report.changed,
            "outputs": report.outputs,
            "problems": [str(problem) for problem in report.problems],
        },
        lambda: (head, body),
        lambda: [_prune_table(body, prove=prove), *_sizes(report)] if body else [],
        report.notes,
        report.problems,
    )


def conclude(answer: Answer, where: str) -> None:
    """Say what is odd and every reason to fail to standard error; exit 1 where there is one."""
    for note in answer.notes:
        say(note)
    for problem in answer.problems:
        say(f"failed: {where}: {problem}")
    if answer.problems:
        raise typer.Exit(ANSWER_IS_NO)


def _sizes(report: PruneReport) -> list[str]:
    from graphprobe.ops.work import work_text

    before, after = report.before, report.after
    outputs = (f"{n} {'x'.join(map(str, shape))}" for n, shape in report.outputs.items())
    return [
        f"  multiply-adds  {work_text(before.flops)} -> {work_text(after.flops)}",
        f"  parameters     {before.params:,} -> {after.params:,}",
        f"  size           {before.megabytes:.2f} MB -> {after.megabytes:.2f} MB",
        f"  cut by         {report.engine}; {len(report.changed)} parameters change shape",
        *(f"  {'runs, gives' if i == 0 else '':15}{line}" for i, line in enumerate(outputs)),
    ]


def _prune_table(body: list[tuple[str, int, int, int, float | None]], *, prove: bool) -> Table:
    from rich import box
    from rich.table import Table

    heads = ("convolution", "together", "channels", *(["difference"] if prove else []))
    caption = "difference: of the outputs from those of the network whose removed channels are\n"
    caption += "masked, over the largest output"
    table = Table(
        *heads, box=box.SIMPLE_HEAD, caption=caption if prove else None, caption_justify="left"
    )
    for conv, together, before, after, difference in body:
        cells = [conv, str(together), f"{before} -> {after}"]
        if prove:
            cells.append("" if difference is None else f"{difference:.1e}")
        table.add_row(*cells)
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


def _cells(row: TermRow) -> tuple[str, ...]:
    pairs = "\n".join(f"{student} <- {teacher}" for student, teacher in row.pairs)
    weight = f"{row.weight:g}" + (f" -> {row.suggested:g}" if row.suggested else "")
    state = "failed" if row.problems else "idle" if row.idle else "ok"
    return row.term, pairs, _times(row.share), _times(row.gradient_share), weight, state


def _times(value: float | None) -> str:
    return "" if value is None else f"x {value:.3g}"
