"""What callers give: regular expressions, counts, texts and files, checked before work begins."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeAlias

from graphprobe.errors import UsageError

PatternLike: TypeAlias = "str | re.Pattern[str]"


def pattern(given: PatternLike | None, name: str) -> re.Pattern[str] | None:
    """Compile what a parameter holds; None stays None.

    Args:
        given: a text, or what `re.compile` made of one.
        name: of the parameter, for the error.

    Raises:
        UsageError: it is no regular expression.
    """
    if given is None or isinstance(given, re.Pattern):
        return given
    try:
        return re.compile(given)
    except (re.error, RecursionError, OverflowError, TypeError) as error:
        raise UsageError(
            f"not a regular expression ({error})", where=f"{name}={given!r}", hint="escape it"
        ) from error


def refuse_count(given: object, name: str, *, least: int) -> None:
    """Refuse what is no whole number of at least `least`; None is not given.

    Args:
        given: what the parameter holds.
        name: of the parameter.
        least: the smallest that makes sense.

    Raises:
        UsageError: it is another number, or none.
    """
    if given is None:
        return
    if not isinstance(given, int) or isinstance(given, bool) or given < least:
        message = f"must be a whole number of at least {least}, not {given!r}"
        raise UsageError(message, where=name, hint=f"give {least} or more")


def refuse_no_text(given: object, name: str, *, hint: str) -> None:
    """Refuse what is no text.

    Args:
        given: what the parameter holds.
        name: of the parameter.
        hint: what to give.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(given, str):
        raise UsageError(f"must be a text, not {given!r}", where=name, hint=hint)


def refuse_no_file(given: object, *, hint: str) -> None:
    """Refuse an output that is no file name, as a program given by position is none.

    Args:
        given: what ``output`` holds.
        hint: what to do.

    Raises:
        UsageError: it is neither a text nor a path.
    """
    if not isinstance(given, (str, os.PathLike)):
        what = f"must be the name of a file, not a {type(given).__qualname__}"
        raise UsageError(what, where="output", hint=hint)


def refuse_suffix(path: str | os.PathLike[str], known: tuple[str, ...], what: str) -> None:
    """Refuse a file whose name does not end as its content asks for.

    Args:
        path: the file.
        known: suffixes with their dot, in small letters; the usual one first.
        what: the content, as ``a report is one HTML file``.

    Raises:
        UsageError: the name ends otherwise.
    """
    if Path(path).suffix.lower() not in known:
        raise UsageError(what, where=os.fspath(path), hint=f"name it {known[0]}")
