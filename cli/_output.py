"""Deliver a command's result: a table, json or csv, to standard output or to a file."""

from __future__ import annotations

import contextlib
import enum
import io
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from graphprobe.errors import UsageError
from graphprobe.files import write_whole

from ._escape import csv_cell, json_text, message_line, printable, printed
from ._waits import BREAKER
from ._words import with_options

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table as RichTable

    from graphprobe.api.results import ConfigResult, Result, Table


class Format(str, enum.Enum):
    """The forms a result can take."""

    table = "table"
    json = "json"
    csv = "csv"


def can_be_written(path: Path | None) -> Path | None:
    """Refuse a file that has no place before anything is computed for it (a Typer callback).

    Raises:
        UsageError: its folder is not there, or it is a folder itself.
    """
    if path is not None and not path.parent.is_dir():
        hint = "name a folder that exists"
        raise UsageError("its folder is not there", where=str(path), hint=hint)
    if path is not None and path.is_dir():
        raise UsageError("is a folder", where=str(path), hint="name a file")
    return path


FORMAT = typer.Option(None, "--format", help="Form of the result (default: table).")
WIDE = typer.Option(False, "--wide", help="Do not fit the table into the terminal.")
OUTPUT = typer.Option(
    None,
    "--output",
    "-o",
    callback=can_be_written,
    help="Write to this file; its suffix (.json, .csv, .txt) is the form.",
)

_WIDE = 240
# A file of such a name is a config.
CONFIGS = (".yaml", ".yml")
_BY_SUFFIX = {".json": Format.json, ".csv": Format.csv, ".txt": Format.table}


def to_json(document: Any) -> str:
    """Stable json: sorted keys, two spaces, a final newline, no character that acts."""
    import json

    return json_text(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)) + "\n"


def to_csv(rows: Table) -> str:
    """A head line and a line a row; no cell is a formula."""
    import csv

    head, body = rows
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([csv_cell(cell) for cell in row] for row in body)
    return text.getvalue()


def to_text(renderables: Iterable[RenderableType]) -> str:
    """What `print_tables` would print, without colours, 80 columns wide."""
    items = list(renderables)
    plain = _plain(items)
    if plain is not None:
        return plain
    from rich.console import Console

    text = io.StringIO()
    _print(Console(file=text, width=80, color_system=None, markup=False), items)
    return printed(text.getvalue())


def print_tables(renderables: Iterable[RenderableType]) -> None:
    """Print to standard output; colours only on a terminal."""
    items = list(renderables)
    plain = _plain(items)
    if plain is not None:
        write_out(plain)
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        text = io.StringIO()
        console = Console(file=text, width=console.width, highlight=False, markup=False)
        _print(console, items)
        write_out(printed(text.getvalue()))
        return
    _print(console, items)


def _plain(items: list[RenderableType]) -> str | None:
    """Text that is laid out already needs no rich, whose import takes time."""
    lines = [item for item in items if isinstance(item, str)]
    return printed("".join(f"{line}\n" for line in lines)) if len(lines) == len(items) else None


def _print(console: Console, renderables: Iterable[RenderableType]) -> None:
    for item in renderables:
        console.print(item)


def folding_table(*heads: str, right: Collection[str] = (), **more: Any) -> RichTable:
    """A table whose long names go on in the next line; none is cut.

    Args:
        heads: of the columns; with ``show_header=False`` they are not shown.
        right: those whose cells stand at the right.
        more: of rich's Table.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, **more)
    for head in heads:
        table.add_column(head, overflow="fold", justify="right" if head in right else "left")
    return table


def terminal_width(wide: bool = False) -> int:
    """Columns of the terminal (or COLUMNS); 80 where there is none; `wide`: as many as it takes."""
    if wide:
        return _WIDE
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return max(40, int(columns))
    try:
        return max(40, os.get_terminal_size(sys.stdout.fileno()).columns or 80)
    except (OSError, ValueError):
        return 80


def deliver(
    found: Result,
    tables: Callable[[], Iterable[RenderableType]],
    *,
    form: Format | None,
    output: Path | None = None,
    others: Sequence[str] = (),
) -> None:
    """Render a result in the form asked for and print it or write it whole.

    Args:
        found: the result; its plain data are the json, its rows the csv.
        tables: makes the rich renderables for people.
        form: the value of --format, or None.
        output: the value of --output; by default standard output.
        others: suffixes that the command itself takes, for the error's hint.

    Raises:
        UsageError: the file's suffix names no form and --format is not given.
    """
    chosen = form or _form_of(output, others)
    if chosen is Format.table and output is None:
        print_tables(tables())
        return
    if chosen is Format.json:
        text = to_json(found.to_dict())
    elif chosen is Format.csv:
        text = to_csv(found.to_rows())
    else:
        text = to_text(tables())
    if output is None:
        write_out(text)
    else:
        write_whole(output, text)


def write_out(text: str) -> None:
    """A text that is escaped already, to standard output."""
    # A character that the terminal's encoding lacks must not end in a traceback.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write(text)


def check_form(form: Format | None, output: Path | None, others: Sequence[str] = ()) -> None:
    """Refuse a suffix that names no form and is none of `others` before anything is computed."""
    if form is None and output is not None and output.suffix.lower() not in others:
        _form_of(output, others)


def _form_of(output: Path | None, others: Sequence[str]) -> Format:
    if output is None:
        return Format.table
    form = _BY_SUFFIX.get(output.suffix.lower())
    if form is None:
        known = ", ".join(sorted((*_BY_SUFFIX, *others)))
        raise UsageError(
            f"unknown suffix {output.suffix!r}",
            where=str(output),
            hint=f"use one of {known}, or give --format",
        )
    return form


def log_to_stderr() -> None:
    """Write what the library logs to standard error, a line a message."""
    import logging  # the fast commands log nothing

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            loud = record.levelno >= logging.WARNING
            log(f"warning: {record.getMessage()}" if loud else record.getMessage())

    logger = logging.getLogger("graphprobe")
    logger.handlers = [Handler()]
    logger.setLevel(logging.INFO)


def log(message: str) -> None:
    """A line for people, on standard error; parameters in it become options."""
    BREAKER.reset()
    sys.stderr.write(f"{message_line(with_options(message))}\n")


def put(line: str) -> None:
    """A line of a result that comes as it is made, to standard output."""
    BREAKER.reset()
    write_out(f"{printable(line)}\n")
    sys.stdout.flush()


def warn(messages: Iterable[str]) -> None:
    """Warnings of a result, one line each, on standard error."""
    for message in messages:
        log(f"warning: {message}")


@contextlib.contextmanager
def own_prints_to_stderr() -> Iterator[None]:
    """While the library works: standard output belongs to the result, not to user code's prints."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def deliver_or_write(
    found: ConfigResult,
    tables: Callable[[], Iterable[RenderableType]],
    refuse: Callable[[], None],
    *,
    form: Format | None,
    output: Path | None,
) -> None:
    """Print a result, or write it, or (to a .yaml file) print it and write the config.

    Args:
        found: the result.
        tables: see `deliver`.
        refuse: is called before a config is written; ends the command where there is nothing in it.
        form: the value of --format, or None.
        output: the value of --output, or None.
    """
    is_config = output is not None and output.suffix.lower() in CONFIGS
    written = None if is_config else output
    deliver(found, tables, form=form, output=written, others=CONFIGS[:1])
    refuse()
    if output is not None and is_config:
        found.write(output)
        log(f"wrote {output}; check it with: graphprobe check {output}")


def deliver_text(text: str, output: Path | None) -> None:
    """Print a text as it is, or write it whole and report that."""
    if output is None:
        write_out(printed(text))
    else:
        write_whole(output, text)
        log(f"wrote {output}")
