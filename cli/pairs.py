"""graphprobe pairs: what the student should learn from the teacher."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from . import _complete, _pair_table
from ._errors import ANSWER_IS_NO
from ._output import (
    CONFIGS,
    FORMAT,
    WIDE,
    Format,
    can_be_written,
    check_form,
    deliver_or_write,
    deliver_text,
    log,
    own_prints_to_stderr,
    terminal_width,
)
from ._train import TRAINED_ON
from ._words import of_packages

if TYPE_CHECKING:
    from graphprobe.api.pairs import PairFindings


def command(
    student: str = typer.Option(
        ...,
        "--student",
        metavar="PROGRAM",
        autocompletion=_complete.programs,
        help="File, folder, run, zoo:NAME or module:function.",
    ),
    teacher: str = typer.Option(
        ...,
        "--teacher",
        metavar="PROGRAM",
        autocompletion=_complete.programs,
        help="Likewise; of a run, its weights are taken too.",
    ),
    data: str = TRAINED_ON,
    rule: str = typer.Option(
        None,
        "--rule",
        metavar="NAME",
        autocompletion=_complete.rules,
        help="Use this rule alone (default: all that apply): yolo_parts, distribution_heads, "
        "dense_levels, segmentation, loss_input, decoding_input, neck_levels, backbone_stages or "
        "stage_flows; graphprobe list rules explains them.",
    ),
    loss: str = typer.Option(
        None,
        "--loss",
        metavar="NAME",
        autocompletion=_complete.losses,
        help="Give every pair this loss, with its usual weight: l2, relative_l2, cosine, "
        "channel_kl, binary_kl, soft_label, fsp, fgd, ld or yolo_fine_grained; graphprobe list "
        "losses explains them.",
    ),
    emit: str = typer.Option(
        None,
        "--emit",
        metavar="act|ppdet|python",
        help="Instead of the result: act, the section Distillation of PaddleSlim's "
        "auto-compression; ppdet, the slim YAML of PaddleDetection 2.x; python, a script with "
        f"PaddleSlim's merge and losses{of_packages('graphprobe.pair_emitters')}.",
    ),
    wide: bool = WIDE,
    form: Format = FORMAT,
    output: Path = typer.Option(
        None,
        "--output",
        "-o",
        callback=can_be_written,
        help="A .yaml file: the distillation config; .json, .csv or .txt: the result.",
    ),
) -> None:
    """Find which tensors of student and teacher match, and why.

    Exit status 1 where nothing matches.

    Example: graphprobe pairs --student zoo:yolov3_mobilenet_v1 --teacher zoo:yolov3_r34
    -o distill.yaml
    """
    if emit is None:
        check_form(form, output, CONFIGS)
    else:
        from graphprobe.emit.emitter import find_pair_emitter

        find_pair_emitter(emit)
    from graphprobe.api.pairs import find_pairs

    with own_prints_to_stderr():
        found = find_pairs(student, teacher, data=data, rule=rule, loss=loss, progress=log)
    if emit is not None:
        _warn(found)
        deliver_text(found.emit(emit), output)
        return
    deliver_or_write(
        found,
        lambda: _pair_table.tables(found, terminal_width(wide)),
        lambda: _warn(found),
        form=form,
        output=output,
    )


def _warn(found: PairFindings) -> None:
    """Report what is in doubt; exit where nothing matched."""
    for warning in found.warnings:
        log(f"warning: {warning}" if found.pairs else warning)
    if not found.pairs:
        raise typer.Exit(ANSWER_IS_NO)
