"""Where messages about work in progress go: to the caller's function, or to logging."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str], None]

LOGGER = logging.getLogger("graphprobe")


def reporter(progress: Progress | None) -> Progress:
    """The caller's function, or one that logs each line at level INFO.

    Args:
        progress: takes one line at a time, without a line break.
    """
    return progress if progress is not None else LOGGER.info
