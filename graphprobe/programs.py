"""Turn a PROGRAM argument (file, folder, zoo name, user code) into a Program."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from graphprobe.errors import LoadError, MissingDependency, did_you_mean
from graphprobe.ir import Program
from graphprobe.loaders import load_bytes, load_file

ZOO = "zoo:"
_WORD = r"[^\W\d]\w*"
_CODE = re.compile(rf"{_WORD}(\.{_WORD})*:{_WORD}(\.{_WORD})*")


def load_program(text: str) -> Program:
    """Read the program that a PROGRAM argument names.

    Args:
        text: a file, a folder, ``zoo:NAME?option=value&...`` or ``package.module:callable``.

    Raises:
        LoadError: nothing there, not a program, or the user's code failed.
        GraphprobeError: what building a bundled model may raise.
    """
    if not text:
        raise LoadError("the program's name is empty", hint="name a file, a folder or zoo:NAME")
    if text.startswith(ZOO):
        from graphprobe.zoo import zoo_bytes

        return load_bytes(zoo_bytes(text), text)
    if is_code(text):
        return load_bytes(_run_user_code(text), text)
    return load_file(Path(text).expanduser(), text)


def is_code(text: str) -> bool:
    """Whether a PROGRAM argument would run the user's own code (a file of that name wins)."""
    return (
        not text.startswith(ZOO) and _CODE.fullmatch(text) is not None and not Path(text).exists()
    )


def _run_user_code(text: str) -> bytes:
    """Call what ``package.module:callable`` names; its prints go to standard error."""
    module_name, _, path = text.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    with contextlib.redirect_stdout(sys.stderr):
        module = _import(module_name, text)
        result = _guarded(_find(module, path, text), text)
    return _serialize(result, text)


def _import(name: str, text: str) -> ModuleType:
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] in ("paddle", "paddleslim"):
            raise _needs_paddle(text) from error
        if name == missing or name.startswith(f"{missing}."):
            raise LoadError(
                f"no module named {missing!r}",
                where=text,
                hint="run where the module lies, or name a file, a folder or zoo:NAME",
            ) from error
        raise _failed(error, text) from error
    except (Exception, SystemExit) as error:
        raise _failed(error, text) from error


def _find(module: ModuleType, path: str, text: str) -> Callable[[], Any]:
    at: Any = module
    for word in path.split("."):
        if not hasattr(at, word):
            known = [name for name in dir(at) if callable(getattr(at, name, None))]
            hint = did_you_mean(word, known) or f"define it in {module.__name__}"
            raise LoadError(f"{module.__name__} has no {word!r}", where=text, hint=hint)
        at = getattr(at, word)
    if not callable(at):
        raise LoadError(
            f"{path} is a {type(at).__name__}, not a callable",
            where=text,
            hint="name a function without arguments that returns a paddle.static.Program",
        )
    found: Callable[[], Any] = at
    return found


def _guarded(function: Callable[[], Any], text: str) -> Any:
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise _failed(error, text) from error


def _serialize(result: Any, text: str) -> bytes:
    try:
        from paddle.static import Program as PaddleProgram
    except ImportError as error:
        raise _needs_paddle(text) from error
    if not isinstance(result, PaddleProgram):
        raise LoadError(
            f"it returned a {type(result).__module__}.{type(result).__name__}",
            where=text,
            hint="return a paddle.static.Program",
        )
    content: bytes = result.desc.serialize_to_string()
    return content


def _needs_paddle(text: str) -> MissingDependency:
    return MissingDependency(
        "this program needs Paddle, which is not installed",
        where=text,
        hint="install graphprobe[cpu] or graphprobe[gpu]",
    )


def _failed(error: BaseException, text: str) -> LoadError:
    """The user's exception in one line, with the innermost line of code that is not Python's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename != __file__ and not f.filename.startswith("<")]
    place = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    first = str(error).strip().splitlines()
    said = f": {first[-1]}" if first else ""
    return LoadError(
        f"your code raised {type(error).__name__}{said}{place}",
        where=text,
        hint="call it in Python to see more",
    )
