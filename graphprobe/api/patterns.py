"""A regular expression that a caller gives."""

from __future__ import annotations

import re
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
