"""graphprobe report: programs, pairs, pruning and runs on one page, or on paper."""

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
    sensitivity: Path = typer.Option(
        None, "--sensitivity", help="What graphprobe sensitivity wrote of the student."
    ),
    latency: Path = typer.Option(
        None, "--latency", help="Milliseconds by layer of the student, as json."
    ),
    run: list[Path] = typer.Option(
        [], "--run", metavar="RUN", help="A run: its figures and curves; may be given again."
    ),
    images: tuple[Path, Path] = typer.Option(
        None,
        "--images",
        metavar="BEFORE AFTER",
        help="Two folders that infer drew into from the same images.",
    ),
    output: Path = typer.Option(
        ..., "--output", "-o", callback=can_be_written, help="The .html or .pdf file to write."
    ),
) -> None:
    """Write a page or a PDF to hand to a colleague.

    Example: graphprobe report --student student.pdmodel --teacher teacher.pdmodel -o r.pdf
    """
    from graphprobe.api.report import report

    with own_prints_to_stderr():
        made = report(
            student,
            output,
            teacher=teacher,
            pairs=pairs,
            prune=prune,
            sensitivity=sensitivity,
            latency=latency,
            runs=run,
            images=images,
        )
    warn(made.warnings)
    log(f"wrote {output}")
