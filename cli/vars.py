"""graphprobe vars: the variables of one or two programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from graphprobe.api.variables import VariableListing, list_variables

from ._errors import ANSWER_IS_NO
from ._output import (
    FORMAT,
    OUTPUT,
    WIDE,
    Format,
    check_form,
    deliver,
    log,
    own_prints_to_stderr,
    terminal_width,
    warn,
)
from ._var_table import summary, table


def command(
    program: str = typer.Argument(
        ..., metavar="PROGRAM", help="File, folder, zoo:NAME or package.module:callable."
    ),
    teacher: str = typer.Option(
        None, "--teacher", metavar="PROGRAM", help="List a second one too."
    ),
    match: str = typer.Option(None, "--match", metavar="REGEX", help="Only names that match."),
    params: bool = typer.Option(False, "--params", help="Only parameters."),
    op_type: str = typer.Option(
        None, "--op-type", metavar="TYPE", help="Only what ops of this type read or write."
    ),
    everything: bool = typer.Option(
        False, "--all", help="Also names with py_reader, double_buffer or generated_var."
    ),
    wide: bool = WIDE,
    form: Format = FORMAT,
    output: Path = OUTPUT,
) -> None:
    """List variables with shape, dtype, producer and consumers.

    Exit status 1 where nothing matches.

    Example: graphprobe vars model.pdmodel --params --match _weights
    """
    check_form(form, output)
    with own_prints_to_stderr():
        listing = list_variables(
            program, teacher=teacher, match=match, params=params, op_type=op_type, all=everything
        )
    deliver(listing, lambda: _tables(listing, terminal_width(wide)), form=form, output=output)
    warn(listing.warnings)
    if not listing:
        log(listing.nothing)
        raise typer.Exit(ANSWER_IS_NO)


def _tables(listing: VariableListing, width: int) -> Iterator[str]:
    several = len(listing.programs) > 1
    for one in listing.programs:
        program = one.program.program
        yield summary(one.role if several else "", program, len(one.variables))
    if listing:
        yield "\n" + table([one.variables for one in listing.programs], width)
