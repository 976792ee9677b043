"""The entry point: find the command, import it alone, and turn errors into exit codes."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import NoReturn

import typer

from graphprobe.version import __version__
from graphprobe.waits import listening

from ._errors import run
from ._once import OnceCommand
from ._signals import handle_signals
from ._waits import BREAKER

# Each command with its line of help. Its module is called alike, with _ for -, and is imported
# where the command is called: the list of commands does without.
COMMANDS = {
    "vars": "List variables with shape, dtype, producer and consumers.",
    "pairs": "Find which tensors of student and teacher match, and why.",
    "prune-regex": "List which convolutions can be pruned, and why not.",
    "sensitivity": "Measure what pruning each group alone costs.",
    "draw": "Draw a program on pages that a person can read.",
    "report": "Write a page or a PDF to hand to a colleague.",
    "data": "Count what a data set holds, and name its problems.",
    "list": "List models, losses, rules, data sets, operators, or formats.",
    "check": "Try a config on one batch: does it train?",
    "train": "Train, with a config or from the names of programs.",
    "eval": "Measure a trained student: mAP, AP, mIoU or top-1, by class.",
    "infer": "Draw what a trained student finds in images.",
    "export": "Write a trained student, or convert an exported program.",
    "runs": "List runs with state, metric, size and latency.",
    "compare": "Set runs side by side, as a table and as curves.",
    "doctor": "Show versions, Paddle's build, and what will work.",
}


def build_app(only: str | None = None) -> typer.Typer:
    """The Typer application, with one command or with all of them."""
    app = _root()
    for name in COMMANDS if only is None else (only,):
        command = importlib.import_module(f".{name.replace('-', '_')}", __package__).command
        app.command(name, cls=OnceCommand)(command)
    return app


def build_list() -> typer.Typer:
    """The application where no command is called: all that ``graphprobe --help`` shows of them."""
    app = _root()
    for name, about in COMMANDS.items():
        app.command(name, help=about)(_unimported)
    return app


def _unimported() -> None:
    """Stands for a command that is listed and not called."""


def _root() -> typer.Typer:
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
    handle_signals()
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    completing = any(name.endswith("_COMPLETE") for name in os.environ)
    only = words[0] if words and words[0] in COMMANDS and not completing else None
    debug = "--debug" in sys.argv[1:]
    argv = [word for word in sys.argv[1:] if word != "--debug"]
    with listening(BREAKER):
        app = build_list() if only is None and not completing else build_app(only)
        status = run(app, argv, debug=debug)
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
