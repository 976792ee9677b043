"""graphprobe report: variables, pairs, prune table and drawings on one page."""

from __future__ import annotations

from pathlib import Path

import typer

from graphprobe.errors import UsageError
from graphprobe.files import write_whole

from ._output import can_be_written, say


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
    """Write one offline page to hand to a colleague."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise UsageError("a report is one HTML file", where=str(output), hint="name it .html")
    from graphprobe.drawing.pages.report import render_report
    from graphprobe.programs import load_program

    from ._findings import gather

    found = gather(load_program(student), teacher, pairs, prune)
    for message in found.messages:
        say(f"warning: {message}")
    write_whole(output, render_report(found.drawing(), found.messages))
    say(f"wrote {output}")
