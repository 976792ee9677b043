"""graphprobe report: variables, pairs, prune table and drawings on one page."""

from __future__ import annotations

from pathlib import Path

import typer

from ._output import can_be_written, log, own_prints_to_stderr, warn


def command(
    student: str = typer.Option(
        ..., "--student", metavar="PROGRAM", help="File, folder, zoo:NAME or module:callable."
    ),
    teacher: str = typer.Option(None, "--teacher", metavar="PROGRAM", help="Likewise."),
    pairs: Path = typer.Option(
        None, "--pairs", help="A distillation config: show its pairs (default: find them)."
    ),
    prune: Path = typer.Option(None, "--prune", help="A pruning config: show what it prunes."),
    output: Path = typer.Option(
        ..., "--output", "-o", callback=can_be_written, help="The .html file to write."
    ),
) -> None:
    """Write one offline page to hand to a colleague.

    Example: graphprobe report --student student.pdmodel --teacher teacher.pdmodel -o r.html
    """
    from graphprobe.api.report import report

    with own_prints_to_stderr():
        made = report(student, output, teacher=teacher, pairs=pairs, prune=prune)
    warn(made.warnings)
    log(f"wrote {output}")
