"""graphprobe runs: what has been trained, and how it went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from graphprobe.api.run_info import RunInfo
from graphprobe.api.runs import RunList, list_runs

from ._errors import ANSWER_IS_NO
from ._output import FORMAT, OUTPUT, Format, deliver, log, terminal_width

_FIGURES = 50  # columns that the figures of a run take


def command(
    folder: Path = typer.Argument(Path("runs"), help="Where the runs are, at any depth."),
    form: Format = FORMAT,
    output: Path = OUTPUT,
) -> None:
    """List runs with state, metric, size and latency.

    Exit status 1 where there is none.

    Example: graphprobe runs
    """
    found = list_runs(folder)
    deliver(found, lambda: _lines(found, terminal_width()), form=form, output=output)
    if not found.runs:
        log(f"{folder}: no runs there; graphprobe train makes one")
        raise typer.Exit(ANSWER_IS_NO)


def _lines(found: RunList, width: int) -> Iterator[str]:
    if not found.runs:
        return
    names = [str(run.path) for run in found.runs]
    room = min(max(map(len, (*names, "run"))), max(16, width - _FIGURES - 1))
    yield f"{'run':{room}} {'state':<10} {'metric':>7} {'size':>8} {'m-adds':>8} {'latency':>11}"
    for run, name in zip(found.runs, names, strict=True):
        if len(name) > room:
            yield name
            name = ""
        yield f"{name:{room}} {_figures(run)}"
        yield f"  {_about(run)}"


def _figures(run: RunInfo) -> str:
    from graphprobe.ops.work.count import size_text, work_text

    value = "" if run.best is None else f"{run.best:.4f}"
    size = "" if run.megabytes is None else size_text(run.megabytes)
    work = "" if run.flops is None else work_text(run.flops)
    time = "" if run.latency_ms is None else f"{run.latency_ms:.2f} ms"
    return f"{run.state:<10} {value:>7} {size:>8} {work:>8} {time:>11}".rstrip()


def _about(run: RunInfo) -> str:
    """Kind, length and data of a run, in a line."""
    total = "" if run.total is None else f" of {run.total:,}"
    best = "" if run.best_iteration is None else f", best at {run.best_iteration:,}"
    metric = f", {run.metric}" if run.metric else ""
    return f"{run.kind}: {run.iterations:,}{total} iterations{best}{metric}"
