"""The entry point: find the command, import it alone, and turn errors into exit codes."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import NoReturn

import typer

from graphprobe.version import __version__
from graphprobe.waits import heard_by

from ._errors import run
from ._once import OnceCommand
from ._signals import heed_signals
from ._waits import BREAKER

# The command's name and its module here; a module is imported only when its command is called.
COMMANDS = {
    "vars": "vars",
    "pairs": "pairs",
    "prune-regex": "prune_regex",
    "sensitivity": "sensitivity",
    "draw": "draw",
    "report": "report",
    "data": "data",
    "list": "list",
    "check": "check",
    "train": "train",
    "eval": "eval",
    "infer": "infer",
    "export": "export",
    "runs": "runs",
    "compare": "compare",
    "doctor": "doctor",
}


def build_app(only: str | None = None) -> typer.Typer:
    """The Typer application, with one command or with all of them."""
    app = typer.Typer(
        name="graphprobe",
        help="Find distillation pairs and prunable convolutions in PaddlePaddle programs, "
        "report why, and train with them.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_global_options)
    for name, module in COMMANDS.items():
        if only in (None, name):
            command = importlib.import_module(f".{module}", __package__).command
            app.command(name, cls=OnceCommand)(command)
    return app


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"graphprobe {__version__}")
        raise typer.Exit


def _global_options(
    version: bool = typer.Option(  # noqa: ARG001 - acts through its callback
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
    debug: bool = typer.Option(  # noqa: ARG001 - `main` takes it off the line, wherever it stands
        False, "--debug", help="Show the traceback of an error."
    ),
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """Run the command line and exit with its status."""
    heed_signals()
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    completing = any(name.endswith("_COMPLETE") for name in os.environ)
    only = words[0] if words and words[0] in COMMANDS and not completing else None
    debug = "--debug" in sys.argv[1:]
    argv = [word for word in sys.argv[1:] if word != "--debug"]
    with heard_by(BREAKER):
        status = run(build_app(only), argv, debug=debug)
    if "paddle" not in sys.modules:
        _leave_at_once(status)
    sys.exit(status)


def _leave_at_once(status: int) -> NoReturn:
    """End without taking every object apart first, which is a tenth of a fast command's time.

    Files are closed by then. With paddle loaded there are threads and worker processes to end
    in good order, so that exit stays the usual one.
    """
    with contextlib.suppress(OSError):  # the reader of a pipe may have gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
