"""graphprobe prune-regex: which convolutions can be pruned, and why the others cannot."""

from __future__ import annotations

import enum
from pathlib import Path

import typer

from graphprobe.files import write_whole
from graphprobe.ir import Program
from graphprobe.programs import load_program
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import Limits, PruneChoice, choose
from graphprobe.pruning.regex import names_regex

from . import _prune_table
from ._by_sensitivity import by_sensitivity
from ._errors import ANSWER_IS_NO
from ._output import FORMAT, Format, can_be_written, deliver, say, terminal_width
from ._regex import pattern


class Emit(str, enum.Enum):
    """What other tools read."""

    slim1x = "slim1x"
    ppdet1x = "ppdet1x"
    ppdet2x = "ppdet2x"
    ppdet = "ppdet"
    act = "act"


def command(
    program: str = typer.Argument(
        ..., metavar="PROGRAM", help="File, folder, zoo:NAME or package.module:callable."
    ),
    policy: str = typer.Option(
        None,
        "--policy",
        help="seeds: what stands alone; coupled: whole groups (default: seeds, or that of "
        "--sensitivity).",
    ),
    ratio: float = typer.Option(0.5, "--ratio", help="Share of the channels that goes."),
    target_flops: float = typer.Option(
        None, "--target-flops", help="Share of the multiply-adds that goes; finds the ratio."
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
        None, "--image", min=1, help="H and W where the program leaves them open (default 608)."
    ),
    emit: Emit = typer.Option(
        None,
        "--emit",
        help="Instead of the result: slim1x, PaddleSlim 1.x; ppdet1x, PaddleDetection 0.x; ppdet "
        "or ppdet2x, PaddleDetection 2.x; act, PaddleSlim's auto-compression.",
    ),
    form: Format = FORMAT,
    output: Path = typer.Option(
        None,
        "--output",
        "-o",
        callback=can_be_written,
        help="A .yaml file: the pruning config; .json, .csv or .txt: the result.",
    ),
) -> None:
    """Say of every convolution whether it can be pruned, and why not.

    Exit status 1 where nothing can be pruned.
    """
    loaded = load_program(program)
    size = (image, image) if image is not None else None
    limits = Limits(pattern(keep, "--keep"), round_to, min_channels, size)
    weights = None
    if sensitivity is not None:
        choice, weights = by_sensitivity(sensitivity, loaded, policy, target_flops, limits)
    else:
        found = find_prunable(loaded, policy or "seeds")
        choice = choose(found, ratio, target_flops=target_flops, limits=limits)
    regex = names_regex(choice.params, (var.name for var in loaded.parameters), compact=compact)
    if emit is not None:
        _emit(emit, choice, regex, program, output)
        return
    config = output if output is not None and output.suffix.lower() in (".yaml", ".yml") else None
    deliver(
        lambda: _prune_table.document(choice, regex),
        lambda: _prune_table.rows(choice.found),
        lambda: _prune_table.tables(choice, regex, terminal_width(), program),
        form=form,
        output=None if config is not None else output,
        others=(".yaml",),
    )
    _refuse_nothing(choice, program)
    if config is not None:
        _write_config(choice, loaded, regex, config, weights)


def _refuse_nothing(choice: PruneChoice, source: str) -> None:
    if not choice.groups:
        say(f"{source}: nothing to prune")
        raise typer.Exit(ANSWER_IS_NO)


def _emit(emit: Emit, choice: PruneChoice, regex: str, source: str, output: Path | None) -> None:
    from graphprobe.emit import not_followed, prune_reader_text

    _refuse_nothing(choice, source)
    lost = not_followed(choice)
    if lost:
        say(
            f"warning: PaddleSlim leaves {len(lost)} of {len(choice.params)} filters as they are "
            f"(first: {lost[0]}): it does not cut through concat; graphprobe train does"
        )
    if emit is Emit.slim1x and len(set(choice.ratios)) > 1:
        say("warning: PaddleSlim 1.x finds one ratio for all filters; those chosen here are lost")
    text = prune_reader_text(choice, regex, emit.value)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_whole(output, text)
        say(f"wrote {output}")


def _write_config(
    choice: PruneChoice, program: Program, regex: str, path: Path, weights: str | None
) -> None:
    from graphprobe.emit import prune_text

    notes = _prune_table.sizes(choice)
    text = prune_text(choice, program, regex, weights=weights, file=str(path), notes=notes)
    write_whole(path, text)
    say(f"wrote {path}; check it with: graphprobe check {path}")
