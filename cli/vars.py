"""graphprobe vars: the variables of one or two programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from graphprobe.errors import did_you_mean
from graphprobe.ir import Op, Program
from graphprobe.ir.listing import VarUse, Wanted, list_vars, undeclared
from graphprobe.programs import load_program

from ._errors import ANSWER_IS_NO
from ._output import FORMAT, OUTPUT, Format, Rows, deliver, say, terminal_width
from ._regex import pattern
from ._var_table import shape_text, summary, table

Listing = tuple[str, Program, tuple[VarUse, ...]]


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
    form: Format = FORMAT,
    output: Path = OUTPUT,
) -> None:
    """List variables with shape, dtype, producer and consumers.

    Exit status 1 where nothing matches.
    """
    wanted = Wanted(pattern(match, "--match"), params, op_type, everything)
    texts = [("student", program)] + ([("teacher", teacher)] if teacher else [])
    loaded = [(role, load_program(text)) for role, text in texts]
    listings = [(role, loaded_, list_vars(loaded_, wanted)) for role, loaded_ in loaded]
    deliver(
        lambda: _document(listings),
        lambda: _rows(listings),
        lambda: _tables(listings, terminal_width()),
        form=form,
        output=output,
    )
    for _, listed, _ in listings:
        _warn_undeclared(listed)
    if not any(uses for _, _, uses in listings):
        say(_nothing(listings, wanted))
        raise typer.Exit(ANSWER_IS_NO)


def _warn_undeclared(program: Program) -> None:
    names = undeclared(program)
    if names:
        more = ", ..." if len(names) > 3 else ""
        say(
            f"warning: {program.origin.source}: {len(names)} names are used but not declared: "
            f"{', '.join(names[:3])}{more}"
        )


def _nothing(listings: list[Listing], wanted: Wanted) -> str:
    types = {op.type for _, program, _ in listings for op in program.ops}
    sources = " and ".join(program.origin.source for _, program, _ in listings)
    if wanted.op_type is not None and wanted.op_type not in types:
        hint = did_you_mean(wanted.op_type, types)
        return f"{sources}: no op of type {wanted.op_type!r}" + (f"; {hint}" if hint else "")
    return f"{sources}: no variable matches"


def _document(listings: list[Listing]) -> dict[str, Any]:
    programs = [
        {
            "role": role,
            "source": program.origin.source,
            "kind": program.origin.kind,
            "version": program.origin.version,
            "blocks": len(program.blocks),
            "ops": len(program.ops),
            "vars": [_entry(use) for use in _sorted(uses)],
        }
        for role, program, uses in listings
    ]
    return {"programs": programs}


def _entry(use: VarUse) -> dict[str, Any]:
    var = use.var
    return {
        "name": var.name,
        "block": use.block,
        "shape": None if var.shape is None else list(var.shape),
        "dtype": var.dtype,
        "persistable": var.persistable,
        "producer": None if use.producer is None else _site(use.producer),
        "consumers": [_site(op) for op in use.consumers],
    }


def _site(op: Op) -> dict[str, Any]:
    return {"op": op.id, "type": op.type}


def _sorted(uses: tuple[VarUse, ...]) -> list[VarUse]:
    return sorted(uses, key=lambda use: (use.block, use.var.name))


def _rows(listings: list[Listing]) -> Rows:
    head = ("role", "name", "block", "shape", "dtype", "persistable", "producer", "consumers")
    body = [
        (
            role,
            use.var.name,
            use.block,
            shape_text(use),
            use.var.dtype,
            use.var.persistable,
            _op(use.producer),
            " ".join(map(_op, use.consumers)),
        )
        for role, _, uses in listings
        for use in _sorted(uses)
    ]
    return head, body


def _op(op: Op | None) -> str:
    return "" if op is None else f"{op.id}:{op.type}"


def _tables(listings: list[Listing], width: int) -> Iterator[str]:
    for role, program, uses in listings:
        yield summary(role if len(listings) > 1 else "", program, len(uses))
    shown = [uses for _, _, uses in listings]
    if any(shown):
        yield "\n" + table(shown, width)
