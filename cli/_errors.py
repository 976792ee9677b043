"""Exit codes, and the one line that stands with each.

0 done; 1 the answer is no; 2 bad usage or unreadable input; 3 a fault of graphprobe itself. 130
after Ctrl-C and 143 after SIGTERM; `train` saves and ends with 130 after both.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import typer

from graphprobe.errors import AnswerIsNo, GraphprobeError, place

from ._escape import message_line
from ._signals import Stopped, report_signal
from ._words import error_line

ANSWER_IS_NO = 1
BAD_INPUT = 2
OWN_FAULT = 3

# Newer Typer carries its own copy of click; these are the exceptions that it really raises.
_exceptions = importlib.import_module(typer.BadParameter.__module__)
# click before 8.2 has no such exception.
_NoArgs: type[Exception] | tuple[()] = getattr(_exceptions, "NoArgsIsHelpError", ())


def run(app: typer.Typer, argv: list[str], *, debug: bool = False) -> int:
    """Run the application and return its exit status; no traceback leaves it unless asked for."""
    try:
        status = typer.main.get_command(app)(argv, prog_name="graphprobe", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except AnswerIsNo as error:
        sys.stderr.write(f"{message_line(error_line(error))}\n")
        return ANSWER_IS_NO
    except GraphprobeError as error:
        return _print_line(error_line(error), debug)
    except _NoArgs as error:
        typer.echo(str(error.format_message()))  # type: ignore[attr-defined]
        return BAD_INPUT
    except _exceptions.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "graphprobe"
        return _print_line(f"{path}: {_one_line(error)}; see {path} --help", debug)
    except Stopped as stopped:
        return report_signal(stopped.number)
    except (typer.Abort, KeyboardInterrupt):
        return report_signal(signal.SIGINT)
    except BrokenPipeError:
        # The reader (head, less) has gone; point stdout elsewhere so that exit stays quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (MemoryError, RecursionError) as error:
        return _print_line(
            f"the input is too large or nested too deeply ({type(error).__name__})", debug
        )
    except OSError as error:  # a folder that may not be read, a disk that is full
        where = f"{error.filename}: " if error.filename is not None else ""
        return _print_line(f"{where}cannot be used ({error.strerror or error})", debug)
    except Exception as error:  # noqa: BLE001 - the last place to report it in one line
        _print_line(_own_fault(error, argv), debug)
        return OWN_FAULT


def _one_line(error: typer.BadParameter) -> str:
    return " ".join(error.format_message().split()).rstrip(".")


def _print_line(line: str, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"error: {message_line(line)}\n")
    return BAD_INPUT


def _own_fault(error: Exception, argv: Sequence[str]) -> str:
    """What happened, in which line of graphprobe, with which input, and how to report it."""
    about = ", ".join(dict.fromkeys(_inputs(argv))) or " ".join(argv)
    what = " ".join(f"{type(error).__name__} {error}".split())[:200]
    return (
        f"{about}: a fault of graphprobe, not of yours ({what} at {place(error)}); please report "
        "this line with the input (docs/reliability.md names the place); --debug shows the rest"
    )


def _inputs(argv: Sequence[str]) -> list[str]:
    """The words of a command line that name files or folders which are there."""
    return [word for word in argv[1:] if not word.startswith("-") and _exists(word)]


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # too long for a path, or with a null character
        return False
