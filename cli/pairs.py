"""graphprobe pairs: what the student should learn from the teacher."""

from __future__ import annotations

import enum
from pathlib import Path

import typer

from graphprobe.files import write_whole
from graphprobe.ir import Program
from graphprobe.pairing.find import PairReport, find_pairs
from graphprobe.programs import load_program

from . import _pair_table
from ._errors import ANSWER_IS_NO
from ._output import FORMAT, Format, can_be_written, deliver, say, terminal_width


class Emit(str, enum.Enum):
    """What can be written for other trainers."""

    act = "act"
    ppdet = "ppdet"
    python = "python"


def command(
    student: str = typer.Option(
        ..., "--student", metavar="PROGRAM", help="File, folder, zoo:NAME or module:function."
    ),
    teacher: str = typer.Option(..., "--teacher", metavar="PROGRAM", help="Likewise."),
    rule: str = typer.Option(
        None, "--rule", metavar="NAME", help="Use this rule alone (default: all that apply)."
    ),
    loss: str = typer.Option(
        None, "--loss", metavar="NAME", help="Give every pair this loss, with its usual weight."
    ),
    emit: Emit = typer.Option(
        None,
        "--emit",
        help="Instead of the result: act, the section Distillation of PaddleSlim's "
        "auto-compression; ppdet, the slim YAML of PaddleDetection 2.x; python, a script with "
        "PaddleSlim's merge and losses.",
    ),
    form: Format = FORMAT,
    output: Path = typer.Option(
        None,
        "--output",
        "-o",
        callback=can_be_written,
        help="A .yaml file: the distillation config; .json, .csv or .txt: the result.",
    ),
) -> None:
    """Find which tensors of student and teacher match, and say why.

    Exit status 1 where nothing matches.
    """
    programs = load_program(student), load_program(teacher)
    report = find_pairs(*programs, rule, loss)
    if emit is not None:
        _emit(emit, report, programs, output)
        return
    config = output if output is not None and output.suffix.lower() in (".yaml", ".yml") else None
    deliver(
        lambda: _pair_table.document(report),
        lambda: _pair_table.rows(report),
        lambda: _pair_table.tables(report, terminal_width()),
        form=form,
        output=None if config is not None else output,
        others=(".yaml",),
    )
    _warn(report)
    if config is not None:
        _write_config(report, programs, config)


def _warn(report: PairReport) -> None:
    """Say what is in doubt; exit where nothing matched."""
    for warning in report.warnings:
        say(f"warning: {warning}" if report.pairs else warning)
    if not report.pairs:
        raise typer.Exit(ANSWER_IS_NO)


def _emit(
    emit: Emit, report: PairReport, programs: tuple[Program, Program], output: Path | None
) -> None:
    from graphprobe.emit import act_text, ppdet_text, python_text

    _warn(report)
    writers = {Emit.act: act_text, Emit.ppdet: ppdet_text, Emit.python: python_text}
    text = writers[emit](report, *programs)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_whole(output, text)
        say(f"wrote {output}")


def _write_config(report: PairReport, programs: tuple[Program, Program], path: Path) -> None:
    from graphprobe.emit import distill_text

    write_whole(path, distill_text(report, *programs, file=str(path)))
    say(f"wrote {path}; check it with: graphprobe check {path}")
