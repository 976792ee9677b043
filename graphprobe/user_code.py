"""Run the user's own code: what ``package.module:callable`` names."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

from graphprobe import compat
from graphprobe.errors import LoadError, MissingDependency, did_you_mean
from graphprobe.model import Model

T = TypeVar("T")

ZOO = "zoo:"
_WORD = r"[^\W\d]\w*"
_CODE = re.compile(rf"{_WORD}(\.{_WORD})*:{_WORD}(\.{_WORD})*")


def is_code(text: str) -> bool:
    """Whether a PROGRAM argument would run the user's own code (a file of that name wins)."""
    return (
        not text.startswith(ZOO) and _CODE.fullmatch(text) is not None and not Path(text).exists()
    )


def is_file(text: str) -> bool:
    """Whether a PROGRAM argument names a file or a folder."""
    return not text.startswith(ZOO) and not is_code(text)


def run_code(text: str, mode: str) -> Any:
    """Call what ``package.module:callable`` names; it prints where it wants.

    Args:
        text: a PROGRAM argument that `is_code`.
        mode: given to a function with a parameter of that name.

    The module is imported, and the function called, each with default programs and variable names
    of its own, so that what one function builds is never part of what another builds. A function
    that returns its default program although it built nothing gets what its module built while it
    was imported.

    Returns:
        a `Model` whose programs are set, or whatever else the function returned.

    Raises:
        LoadError: there is no such function, or it failed.
        MissingDependency: it needs Paddle.
    """
    module_name, _, path = text.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    module, built = _isolated(lambda: _import(module_name, text))
    if built is not None:
        _BUILT_BY_IMPORT.setdefault(module.__name__, built)
    function = _find(module, path, text)
    takes_mode = "mode" in inspect.signature(function).parameters
    if takes_mode:
        _enable_static(text)
    call = (lambda: function(mode=mode)) if takes_mode else function
    found, own = _isolated(lambda: _guarded(call, text))
    return _with_programs(found, own, _BUILT_BY_IMPORT.get(module.__name__))


# Paddle's default main program and startup program.
Programs: TypeAlias = tuple[Any, Any]
# Module -> the default programs that were in force while it was imported.
_BUILT_BY_IMPORT: dict[str, Programs] = {}


def _enable_static(text: str) -> None:
    try:
        compat.import_paddle()
    except ImportError as error:
        raise needs_paddle(text) from error
    import paddle

    paddle.enable_static()


def _isolated(call: Callable[[], T]) -> tuple[T, Programs | None]:
    """Call something under default programs and variable names of its own.

    Paddle is not imported for its sake: where `call` is the first to import it, the default
    programs are its own anyway, and new ones take their place afterwards.

    Returns:
        what it returned, and the programs; None for these where nothing imported Paddle.
    """
    if sys.modules.get("paddle") is None:
        compat.before_import()
        found = call()
        compat.after_import()
        return found, _replace_defaults() if sys.modules.get("paddle") else None
    compat.after_import()
    import paddle
    from paddle.base import unique_name

    main, startup = paddle.static.Program(), paddle.static.Program()
    with unique_name.guard(), paddle.static.program_guard(main, startup):
        found = call()
        used = dict(unique_name.generator.ids)
    _reserve(used)
    return found, (main, startup)


def _replace_defaults() -> Programs:
    """Put empty default programs into the place of the present ones, which are returned."""
    import paddle
    from paddle.base import framework, unique_name

    main = framework.switch_main_program(paddle.static.Program())
    startup = framework.switch_startup_program(paddle.static.Program())
    used = dict(unique_name.switch()[0].ids)
    _reserve(used)
    return main, startup


def _reserve(used: Mapping[str, int]) -> None:
    """Keep what is added to a program later from taking a name that it has already."""
    from paddle.base import unique_name

    ids = unique_name.generator.ids
    for key, count in used.items():
        ids[key] = max(ids[key], count)


def _with_programs(found: Any, own: Programs | None, imported: Programs | None) -> Any:
    """What a function returned, with the programs that it was built into."""
    if own is None:
        return found
    main, startup = own
    if imported is not None and not main.global_block().ops:
        main, startup = imported
    if found is own[0]:
        return main
    if not isinstance(found, Model):
        return found
    return replace(found, program=found.program or main, startup=found.startup or startup)


def _import(name: str, text: str) -> ModuleType:
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] in ("paddle", "paddleslim"):
            raise needs_paddle(text) from error
        if name == missing or name.startswith(f"{missing}."):
            raise LoadError(
                f"no module named {missing!r}",
                where=text,
                hint="run in the folder of the module, or name a file, a folder or zoo:NAME",
            ) from error
        raise _failed(error, text) from error
    except (Exception, SystemExit) as error:
        raise _failed(error, text) from error


def _find(module: ModuleType, path: str, text: str) -> Callable[..., Any]:
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
            hint="name a function that returns a paddle.static.Program or a graphprobe.Model",
        )
    found: Callable[..., Any] = at
    return found


def _guarded(function: Callable[[], Any], text: str) -> Any:
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise _failed(error, text) from error


def needs_paddle(text: str) -> MissingDependency:
    """The error of a program that cannot be built because Paddle is not installed."""
    return MissingDependency(
        "this program needs Paddle, which is not installed",
        where=text,
        hint="pip install 'graphprobe[cpu]'; for a GPU docs/compat.md has the command",
    )


def _failed(error: BaseException, text: str) -> LoadError:
    """The user's exception in one line, with the innermost line of code that is not Python's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename != __file__ and not f.filename.startswith("<")]
    place = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    first = str(error).strip().splitlines()
    reason = f": {first[-1]}" if first else ""
    return LoadError(
        f"your code raised {type(error).__name__}{reason}{place}",
        where=text,
        hint="call it in Python to see more",
    )
