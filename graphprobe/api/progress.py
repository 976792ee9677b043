"""Where messages about work in progress go: to the caller's function, or to logging."""

from __future__ import annotations

import logging

from graphprobe.training.reporting.progress import Log

LOGGER = logging.getLogger("graphprobe")


def reporter(progress: Log | None) -> Log:
    """The caller's function, or one that logs each line at level INFO.

    Args:
        progress: takes one line at a time, without a line break.
    """
    return progress if progress is not None else LOGGER.info
