"""Keep a process's own handling of SIGTERM while Paddle is imported."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


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
