"""graphprobe list: the names that other commands take."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import typer

from graphprobe.api.catalog import KINDS, Catalog, list_names

from . import _complete
from ._escape import printable
from ._output import FORMAT, OUTPUT, Format, deliver, terminal_width


def command(
    kind: str = typer.Argument(
        ...,
        metavar="KIND",
        autocompletion=_complete.kinds,
        help=f"What to list: {', '.join(KINDS)}.",
    ),
    form: Format = FORMAT,
    output: Path = OUTPUT,
) -> None:
    """List models, losses, rules, data sets, operators, or formats.

    Example: graphprobe list losses
    """
    found = list_names(kind)
    deliver(found, lambda: _lines(found, terminal_width()), form=form, output=output)


def _lines(found: Catalog, width: int) -> Iterator[str]:
    names = min(max(map(len, found), default=0), 32)
    for name, about in (map(printable, entry) for entry in found.entries):
        if len(name) > names:
            yield name
            name = ""
        yield textwrap.fill(
            f"{name:<{names}}  {about}",
            width,
            subsequent_indent=" " * (names + 2),
            drop_whitespace=True,
        )
