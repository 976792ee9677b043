"""A regular expression that stands on the command line."""

from __future__ import annotations

import re

from graphprobe.errors import UsageError


def pattern(text: str | None, option: str) -> re.Pattern[str] | None:
    """Compile what an option holds; None stays None.

    Raises:
        UsageError: it is no regular expression.
    """
    try:
        return None if text is None else re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(
            f"not a regular expression ({error})", where=f"{option} {text}", hint="escape it"
        ) from error
