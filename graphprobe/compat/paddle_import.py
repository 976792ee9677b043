"""What Paddle does at import that helps nobody: warnings, and a handler of SIGTERM."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import warnings
from collections.abc import Iterator

GLOG_LEVEL = "GLOG_minloglevel"

MESSAGES = (
    # pkg_resources, by what paddleslim imports
    "pkg_resources is deprecated",
    "Setuptools is replacing distutils",
    # Paddle 3: no C++ extension is compiled here
    "No ccache found",
    # Paddle 3: every layer of paddle.static.nn
    r"(?s).*paddle\.static\.nn\..* is deprecated",
)


def filter_warnings() -> None:
    """Drop these warnings, and glog's below errors."""
    os.environ.setdefault(GLOG_LEVEL, "2")
    for text in MESSAGES:
        warnings.filterwarnings("ignore", message=text)


@contextlib.contextmanager
def own_sigterm() -> Iterator[None]:
    """Put the handler of SIGTERM back that was there before.

    Paddle sets one on import that writes a stack from inside of the signal, for which it takes
    locks: where the thread that was stopped holds one of them, the process would not end.
    """
    before = signal.getsignal(signal.SIGTERM)
    yield
    if before is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)
