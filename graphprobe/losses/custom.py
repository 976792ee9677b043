"""A loss that a user's own function computes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from graphprobe.errors import UsageError, did_you_mean
from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, detach


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    """No check: only the function itself knows which shapes it takes."""
    del students, teachers
    return []


def _build(students: Sequence[Any], teachers: Sequence[Any], *, code: str, **options: Any) -> Any:
    """What ``function(teacher_var, student_var, **options)`` returns.

    The caller has made sure that the user allows the code to run.

    Args:
        students: one variable.
        teachers: one variable.
        code: ``module:function``; modules of the current folder are found too.
        options: handed to the function as they are.

    Returns:
        a variable of one element.

    Raises:
        UsageError: there is no such function, it failed, or it returned something else.
    """
    function = find_function(code)
    try:
        result = function(detach(teachers)[0], students[0], **options)
    except (Exception, SystemExit) as error:
        first = str(error).strip().splitlines()
        reason = f": {first[-1]}" if first else ""
        raise UsageError(f"your loss raised {type(error).__name__}{reason}", where=code) from error
    return _single(result, code)


def find_function(code: str) -> Callable[..., Any]:
    """The function that ``module:function`` names.

    Raises:
        UsageError: the module or the function is not there, or importing it failed.
    """
    name, _, path = code.partition(":")
    if not name or not path:
        raise UsageError("is not module:function", where=code or "code", hint="as mylosses:cosine")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        at: Any = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"cannot be imported ({type(error).__name__}: {error})",
            where=code,
            hint="run in the folder of the module",
        ) from error
    for word in path.split("."):
        if not hasattr(at, word):
            hint = did_you_mean(word, dir(at))
            raise UsageError(f"{name} has no {word!r}", where=code, hint=hint)
        at = getattr(at, word)
    if not callable(at):
        raise UsageError(f"{path} is not a function", where=code)
    found: Callable[..., Any] = at
    return found


def _single(result: Any, code: str) -> Any:
    from paddle.static import Variable

    if not isinstance(result, Variable):
        kind = type(result).__name__
        raise UsageError(
            f"your loss returned a {kind}", where=code, hint="return a paddle variable"
        )
    if any(size != 1 for size in result.shape):
        raise UsageError(
            f"your loss has shape {list(result.shape)}, not one element",
            where=code,
            hint="end it with paddle.mean",
        )
    return result.reshape([])


LOSS = Loss(
    "custom",
    inputs=("feature",),
    default_weight=1.0,
    check=_check,
    build=_build,
    options={"code": ""},
    needs_code=True,
)
