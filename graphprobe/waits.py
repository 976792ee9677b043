"""What a command is waiting for, for whoever shows it: the library itself prints nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class WaitListener(Protocol):
    """Is called with what begins and what ends; the command line brings one."""

    def begin(self, what: str) -> None:
        """Work begins that may take seconds, as ``building zoo:yolov3_r34``."""

    def end(self) -> None:
        """The work that began last is done, or has failed."""


_listeners: list[WaitListener] = []


@contextmanager
def listening(listener: WaitListener) -> Iterator[None]:
    """Inside, a listener is called at every wait."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Around work that may take seconds.

    Args:
        what: is done, as ``importing Paddle``.
    """
    listeners = list(_listeners)
    for listener in listeners:
        listener.begin(what)
    try:
        yield
    finally:
        for listener in listeners:
            listener.end()
