"""What signals do to a run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from graphprobe.training.runtime.signals import StopRequest


@pytest.fixture(autouse=True)
def as_from_a_terminal() -> Iterator[None]:
    """Where the tests are a job in the background, Ctrl-C would be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_sigterm_may_come_again_and_a_second_ctrl_c_ends_at_once() -> None:
    with StopRequest() as stop:
        assert stop.name is None
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.name == "SIGTERM"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.name == "SIGINT"


def test_handlers_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with StopRequest():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
