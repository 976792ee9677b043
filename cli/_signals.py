"""What SIGTERM and Ctrl-C do to a command: one line, and the status 128 + the signal's number.

The exception lets every `finally` run, so that nothing half written stays. Python raises it between
two of its own steps, and one step of Paddle may take minutes: a thread ends a command that has not
ended by itself soon. `train` saves first; see graphprobe/training/runtime/signals.py.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

LINES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
EXIT_TIMEOUT_S = 3.0
_reported = threading.Event()


class Stopped(BaseException):
    """A signal asks the command to end; no `except Exception` holds it up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = signal.Signals(number)


def handle_signals() -> None:
    """End on the signals from here on; a signal that whoever started us ignores stays so."""
    for number in LINES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=_forget)
    threading.Thread(target=_hurry, args=(reader,), daemon=True).start()


def report_signal(number: signal.Signals) -> int:
    """Report in one line what happened; the exit status."""
    _reported.set()
    sys.stderr.write(f"{LINES[number]}\n")
    return 128 + number


def _stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    raise Stopped(number)


def _forget() -> None:
    """A signal to a data worker is none to the command."""
    signal.set_wakeup_fd(-1)


def _hurry(reader: int) -> None:
    """Wait for the first of the signals, then end the process if it does not do it itself."""
    while (number := os.read(reader, 1)[0]) not in LINES:
        pass
    if _reported.wait(EXIT_TIMEOUT_S):
        time.sleep(EXIT_TIMEOUT_S)  # for the interpreter to take itself apart
    else:
        report_signal(signal.Signals(number))
        sys.stderr.flush()
    os._exit(128 + number)
