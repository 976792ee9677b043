"""After a while of silence a command says what it is waiting for."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest
from graphprobe_cli._waits import SILENCE, SilenceBreaker

import graphprobe
from graphprobe.waits import listening, waiting_for


class Recorder:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.open = 0

    def begin(self, what: str) -> None:
        self.begun.append(what)
        self.open += 1

    def end(self) -> None:
        self.open -= 1


def test_the_innermost_work_is_named_once_after_two_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    breaker = SilenceBreaker()
    begin = time.monotonic()
    late = begin + 100 + SILENCE
    breaker.look(late)
    assert out.getvalue() == ""
    breaker.begin("building one")
    breaker.look(begin)
    assert out.getvalue() == ""
    breaker.look(late)
    breaker.begin("importing \x1b[2JPaddle")
    breaker.look(late + SILENCE / 2)
    assert out.getvalue() == "building one ...\n"
    breaker.look(late + SILENCE)
    breaker.look(late + 3 * SILENCE)
    breaker.end()
    breaker.look(late + 9 * SILENCE)
    assert out.getvalue() == "building one ...\nimporting \\x1b[2JPaddle ...\n"


def test_a_line_of_the_command_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    breaker = SilenceBreaker()
    breaker.begin("drawing")
    breaker.reset()
    breaker.look(time.monotonic() + SILENCE / 2)
    assert out.getvalue() == ""


def test_a_wait_ends_where_its_work_fails() -> None:
    recorder = Recorder()
    with listening(recorder), pytest.raises(ValueError, match="no"), waiting_for("trying"):
        assert recorder.open == 1
        raise ValueError("no")
    assert (recorder.begun, recorder.open) == (["trying"], 0)
    with waiting_for("nobody listens"):
        pass
    assert recorder.begun == ["trying"]


def test_reading_and_finding_are_waits(program_files: dict[str, Path]) -> None:
    one = str(next(iter(program_files.values())))
    recorder = Recorder()
    with listening(recorder):
        graphprobe.find_pairs(one, one)
        graphprobe.find_prunable(one)
    assert recorder.begun == [
        *(f"reading {one}", f"reading {one}", "finding pairs"),
        *(f"reading {one}", "finding what can be pruned"),
    ]
    assert recorder.open == 0


@pytest.mark.paddle
def test_importing_paddle_is_a_wait() -> None:
    code = """
from graphprobe.waits import listening
from graphprobe.compat import import_paddle
class Say:
    def begin(self, what): print("begin", what)
    def end(self): print("end")
with listening(Say()):
    import_paddle()
    import_paddle()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["begin importing Paddle", "end"], done.stderr
