"""graphprobe prune-regex: which convolutions can be pruned, and why the others cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from . import _complete, _prune_table
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
    warn,
)
from ._train import TRAINED_ON
from ._words import of_packages

if TYPE_CHECKING:
    from graphprobe.api.prune_selection import PruneSelection


def command(
    program: str = typer.Argument(
        ...,
        metavar="PROGRAM",
        autocompletion=_complete.programs,
        help="File, folder, run, zoo:NAME or package.module:callable.",
    ),
    data: str = TRAINED_ON,
    policy: str = typer.Option(
        None,
        "--policy",
        metavar="seeds|coupled",
        help="seeds: what stands alone; coupled: whole groups (default: seeds, or that of "
        "--sensitivity).",
    ),
    ratio: float = typer.Option(
        None, "--ratio", help="Share of the channels removed (default: 0.5, without a target)."
    ),
    target_flops: float = typer.Option(
        None, "--target-flops", help="Share of the multiply-adds removed; finds the ratio."
    ),
    sensitivity: Path = typer.Option(
        None,
        "--sensitivity",
        help="What graphprobe sensitivity wrote: choose each group's ratio by it, for "
        "--target-flops.",
    ),
    compact: bool = typer.Option(False, "--compact", help="Write a factored regex."),
    keep: str = typer.Option(
        None, "--keep", metavar="REGEX", help="Leave these parameters, and what goes with them."
    ),
    min_channels: int = typer.Option(1, "--min-channels", help="At least so many stay."),
    round_to: int = typer.Option(1, "--round-to", help="A multiple of this stays (8: hardware)."),
    image: int = typer.Option(
        None,
        "--image",
        min=1,
        help="H and W where the program leaves them open (default: the run's or data's, else 608).",
    ),
    emit: str = typer.Option(
        None,
        "--emit",
        metavar="slim1x|ppdet1x|ppdet|ppdet2x|act",
        help="Instead of the result: slim1x, PaddleSlim 1.x; ppdet1x, PaddleDetection 0.x; ppdet "
        "or ppdet2x, PaddleDetection 2.x; act, PaddleSlim's auto-compression"
        f"{of_packages('graphprobe.prune_emitters')}.",
    ),
    wide: bool = WIDE,
    form: Format = FORMAT,
    output: Path = typer.Option(
        None,
        "--output",
        "-o",
        callback=can_be_written,
        help="A .yaml file: the pruning config; .json, .csv or .txt: the result.",
    ),
) -> None:
    """List which convolutions can be pruned, and why not.

    Exit status 1 where nothing can be pruned.

    Example: graphprobe prune-regex model.pdmodel --policy coupled -o prune.yaml
    """
    if emit is None:
        check_form(form, output, CONFIGS)
    else:
        from graphprobe.emit.emitter import find_prune_emitter

        find_prune_emitter(emit)
    from graphprobe.api.prunable import find_prunable

    with own_prints_to_stderr():
        found = find_prunable(
            program,
            data=data,
            policy=policy,
            ratio=ratio,
            target_flops=target_flops,
            sensitivity=sensitivity,
            compact=compact,
            keep=keep,
            min_channels=min_channels,
            round_to=round_to,
            image=image,
            progress=log,
        )
    warn(found.warnings)
    for note in found.notes:
        log(note)
    if emit is not None:
        _emit(found, emit, output)
        return
    deliver_or_write(
        found,
        lambda: _prune_table.tables(found, terminal_width(wide)),
        lambda: _refuse_nothing(found),
        form=form,
        output=output,
    )


def _refuse_nothing(found: PruneSelection) -> None:
    if not found.groups:
        log(f"{found.program.source}: nothing to prune")
        raise typer.Exit(ANSWER_IS_NO)


def _emit(found: PruneSelection, emit: str, output: Path | None) -> None:
    _refuse_nothing(found)
    warn(found.emit_warnings(emit))
    deliver_text(found.emit(emit), output)
