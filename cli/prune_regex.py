"""graphprobe prune-regex: which convolutions can be pruned, and why the others cannot."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from graphprobe.analysis.prune import PruneFindings, find_prunable
from graphprobe.analysis.regex import names_regex
from graphprobe.errors import UsageError
from graphprobe.programs import load_program

from . import _prune_table
from ._errors import ANSWER_IS_NO
from ._output import FORMAT, Format, deliver, say, terminal_width


def command(
    program: str = typer.Argument(
        ..., metavar="PROGRAM", help="File, folder, zoo:NAME or package.module:callable."
    ),
    policy: str = typer.Option(
        "seeds", "--policy", help="seeds: what stands alone; coupled: whole groups."
    ),
    compact: bool = typer.Option(False, "--compact", help="Write a factored regex."),
    keep: str = typer.Option(
        None, "--keep", metavar="REGEX", help="Leave these parameters, and what goes with them."
    ),
    form: Format = FORMAT,
    output: Path = typer.Option(
        None, "--output", "-o", help="A .json, .csv or .txt file: the result."
    ),
) -> None:
    """Say of every convolution whether it can be pruned, and why not.

    Exit status 1 where nothing can be pruned.
    """
    loaded = load_program(program)
    found = find_prunable(loaded, policy)
    params = _selected(found, _pattern(keep))
    regex = names_regex(params, (var.name for var in loaded.parameters), compact=compact)
    deliver(
        lambda: _prune_table.document(found, params, regex),
        lambda: _prune_table.rows(found),
        lambda: _prune_table.tables(found, params, regex, terminal_width(), program),
        form=form,
        output=output,
    )
    if not params:
        say(f"{program}: nothing to prune")
        raise typer.Exit(ANSWER_IS_NO)


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(
            f"not a regular expression ({error})", where=f"--keep {text}", hint="escape it"
        ) from error


def _selected(found: PruneFindings, keep: re.Pattern[str] | None) -> list[str]:
    """The prunable parameters, without the groups in which one is kept."""
    kept = {d.group for d in found.decisions if keep is not None and keep.search(d.param)}
    names = (d.param for d in found.prunable if d.group not in kept)
    return list(dict.fromkeys(names))
