"""Keep a process's own handling of SIGTERM while Paddle is imported."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def own_sigterm() -> Iterator[None]:
    """Put the handler of SIGTERM back that was there before.

    Paddle sets one on import that writes a stack from inside of the signal. It waits for ever
    where the thread that the signal stopped holds the lock of the memory or of the log.
    """
    before = signal.getsignal(signal.SIGTERM)
    yield
    if before is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)
