"""The entry point: find the command, import it alone, and turn errors into exit codes."""

from __future__ import annotations

import gc
import importlib
import os
import sys

import typer

from graphprobe.version import __version__

from ._errors import run

# The command's name and its module here; a module is imported only when its command is called.
COMMANDS = {
    "vars": "vars",
    "pairs": "pairs",
    "prune-regex": "prune_regex",
    "draw": "draw",
    "report": "report",
    "check": "check",
    "train": "train",
    "eval": "eval",
    "infer": "infer",
    "export": "export",
}


def build_app(only: str | None = None) -> typer.Typer:
    """The Typer application, with one command or with all of them."""
    app = typer.Typer(
        name="graphprobe",
        help="Find distillation pairs and prunable convolutions in PaddlePaddle programs, "
        "say why, and train with them.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_global_options)
    for name, module in COMMANDS.items():
        if only in (None, name):
            command = importlib.import_module(f".{module}", __package__).command
            app.command(name)(command)
    return app


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"graphprobe {__version__}")
        raise typer.Exit


def _global_options(
    version: bool = typer.Option(  # noqa: ARG001 - acts through its callback
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    """Options that stand before the command."""
    if debug:
        os.environ["GRAPHPROBE_DEBUG"] = "1"


def main() -> None:
    """Run the command line and exit with its status."""
    # Nearly all objects of a fast command live until its end; looking for garbage among them
    # again and again takes a tenth of its time.
    gc.set_threshold(100_000, 50, 50)
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    completing = any(name.endswith("_COMPLETE") for name in os.environ)
    only = words[0] if words and words[0] in COMMANDS and not completing else None
    debug = "--debug" in sys.argv[1:]
    argv = [word for word in sys.argv[1:] if word != "--debug"]
    sys.exit(run(build_app(only), argv, debug=debug))
