"""graphprobe pairs: what the student should learn from the teacher."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from . import _pair_table
from ._errors import ANSWER_IS_NO
from ._output import (
    FORMAT,
    Format,
    can_be_written,
    config_among,
    deliver,
    deliver_text,
    own_prints_to_stderr,
    say,
    terminal_width,
)

if TYPE_CHECKING:
    from graphprobe.api.pairs import PairFindings


def command(
    student: str = typer.Option(
        ..., "--student", metavar="PROGRAM", help="File, folder, zoo:NAME or module:function."
    ),
    teacher: str = typer.Option(..., "--teacher", metavar="PROGRAM", help="Likewise."),
    data: str = typer.Option(
        None,
        "--data",
        metavar="NAME:PATH",
        help="What will be trained on: bundled models get its classes, the config its schedule.",
    ),
    rule: str = typer.Option(
        None, "--rule", metavar="NAME", help="Use this rule alone (default: all that apply)."
    ),
    loss: str = typer.Option(
        None, "--loss", metavar="NAME", help="Give every pair this loss, with its usual weight."
    ),
    emit: str = typer.Option(
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

    Example: graphprobe pairs --student zoo:yolov3_mobilenet_v1 --teacher zoo:yolov3_r34
    -o distill.yaml
    """
    from graphprobe.api.pairs import find_pairs

    with own_prints_to_stderr():
        found = find_pairs(student, teacher, data=data, rule=rule, loss=loss, progress=say)
    if emit is not None:
        _warn(found)
        deliver_text(found.emit(emit), output)
        return
    config = config_among(output)
    deliver(
        found.to_dict,
        found.to_rows,
        lambda: _pair_table.tables(found, terminal_width()),
        form=form,
        output=None if config is not None else output,
        others=(".yaml",),
    )
    _warn(found)
    if config is not None:
        found.write(config)
        say(f"wrote {config}; check it with: graphprobe check {config}")


def _warn(found: PairFindings) -> None:
    """Say what is in doubt; exit where nothing matched."""
    for warning in found.warnings:
        say(f"warning: {warning}" if found.pairs else warning)
    if not found.pairs:
        raise typer.Exit(ANSWER_IS_NO)
