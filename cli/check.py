"""``graphprobe check``: prove a config on one batch without training."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from graphprobe.api.check import CheckResult, check

from ._errors import ANSWER_IS_NO
from ._escape import printable
from ._output import (
    FORMAT,
    Format,
    deliver,
    folding_table,
    log,
    own_prints_to_stderr,
    terminal_width,
    warn,
)
from ._train import ALLOW_CODE, CONFIG, DEVICE, ENGINE, OVERRIDE, Device

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from graphprobe.training.pruning.proof import PruneReport
    from graphprobe.training.reporting.verdict import TermRow, Verdict


LEGEND = """\
  loss, gradient: of the weighted term, over the task's on this batch.
  weight: of the config -> at which all terms send a gradient like the task's;
          auto: by this batch, and measured again through the run.
"""


def command(
    config: Path = CONFIG,
    data: str | None = typer.Option(
        None, "--data", metavar="NAME:PATH", help="Data in place of the config's, as voc:PATH."
    ),
    override: list[str] | None = OVERRIDE,
    device: Device = DEVICE,
    allow_code: bool = ALLOW_CODE,
    prove: bool = typer.Option(
        False,
        "--prove",
        help="Pruning: also compare each pruned group with the network whose channels are masked.",
    ),
    engine: str | None = ENGINE,
    form: Format | None = FORMAT,
) -> None:
    """Try a config on one batch: does it train?

    Networks are merged, and every term is looked at. Exit status 1 where it does not train.

    Example: graphprobe check distill.yaml --set train.batch_size=4
    """
    with own_prints_to_stderr():
        result = check(
            config,
            data=data,
            override=override or (),
            device=device.value,
            allow_code=allow_code,
            prove=prove,
            engine=engine,
            progress=log,
        )
    deliver(result, lambda: tables(result, prove=prove), form=form)
    log_findings(result)
    if not result.passed:
        raise typer.Exit(ANSWER_IS_NO)


def tables(result: CheckResult, *, prove: bool = False) -> list[RenderableType]:
    """What people read."""
    if result.pruning is not None:
        report = result.pruning
        return [_prune_table(report, prove=prove), *_sizes(report)] if report.groups else []
    if result.verdict is None:
        return []
    from graphprobe.training.reporting.verdict import describe_teacher

    runs = describe_teacher(result.verdict)
    found = result.verdict.data
    lines = [_line(what, text) for what, text in (found.rows() if found else ())]
    return [
        _table(result.verdict),
        "\n".join([*lines, *([f"  {runs}"] if runs else []), LEGEND]),
    ]


def _line(what: str, text: str) -> str:
    return textwrap.fill(
        printable(text), terminal_width(), initial_indent=f"  {what:11}  ",
        subsequent_indent=" " * 15, break_on_hyphens=False,
    )  # fmt: skip


def log_findings(result: CheckResult) -> None:
    """Report what is odd and every reason to fail on standard error."""
    warn(result.warnings)
    for note in result.notes:
        log(note)
    for problem in result.problems:
        log(f"failed: {result.where}: {problem}")


def _sizes(report: PruneReport) -> list[str]:
    from graphprobe.ops.work.count import size_text, work_text

    before, after = report.before, report.after
    outputs = (f"{n} {'x'.join(map(str, shape))}" for n, shape in report.outputs.items())
    return [
        f"  multiply-adds  {work_text(before.flops)} -> {work_text(after.flops)}",
        f"  parameters     {before.params:,} -> {after.params:,}",
        f"  size           {size_text(before.megabytes)} -> {size_text(after.megabytes)}",
        f"  pruned by      {report.engine}; {len(report.changed)} parameters change shape",
        *(f"  {'runs, gives' if i == 0 else '':15}{line}" for i, line in enumerate(outputs)),
    ]


def _prune_table(report: PruneReport, *, prove: bool) -> Table:
    heads = ("convolution", "together", "channels", *(["difference"] if prove else []))
    caption = "difference: of the outputs from those of the network whose removed channels are\n"
    caption += "masked, over the largest output"
    table = folding_table(*heads, caption=caption if prove else None, caption_justify="left")
    for row in report.groups:
        cells = [printable(row.conv), str(row.convs), f"{row.before} -> {row.after}"]
        if prove:
            cells.append("" if row.difference is None else f"{row.difference:.1e}")
        table.add_row(*cells)
    return table


def _table(verdict: Verdict) -> Table:
    table = folding_table("term", "student <- teacher", "loss", "gradient", "weight", "")
    task = verdict.task
    if task is not None:
        table.add_row("task", "", f"{task.value:.4g}", f"{task.gradient:.4g}")
    for row in verdict.rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: TermRow) -> tuple[str, ...]:
    pairs = "\n".join(printable(f"{student} <- {teacher}") for student, teacher in row.pairs)
    weight = f"auto: {row.weight:.2g}" if row.auto else f"{row.weight:g}"
    weight += f" -> {row.suggested:g}" if row.suggested else ""
    state = "failed" if row.problems else "idle" if row.idle else "ok"
    return printable(row.term), pairs, _times(row.share), _times(row.gradient_share), weight, state


def _times(value: float | None) -> str:
    return "" if value is None else f"x {value:.3g}"
