"""What Ctrl-C and SIGTERM do to a command."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

# A command whose main thread is in C for minutes, where Python raises nothing.
BUSY = """
import hashlib, signal, sys
import graphprobe_cli._errors as errors, graphprobe_cli._signals as signals

signals.EXIT_TIMEOUT_S = 0.2
# As from a terminal: where the tests are a job in the background, it would be ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signals.handle_signals()
errors.typer.main.get_command = lambda app: command

def command(argv, **_):
    print("ready", flush=True)
    if sys.argv[1] == "in C":
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
    while True:
        pass

sys.exit(errors.run(None, []))
"""
SIGNALS = [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, "terminated\n")]


@pytest.mark.parametrize("where", ["in Python", "in C"])
@pytest.mark.parametrize(("number", "status", "line"), SIGNALS)
def test_a_command_ends_soon_with_one_line(
    number: signal.Signals, status: int, line: str, where: str
) -> None:
    command = subprocess.Popen(
        [sys.executable, "-c", BUSY, where],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    assert command.stdout.readline() == "ready\n"
    command.send_signal(number)
    try:
        _, said = command.communicate(timeout=60)
    finally:
        command.kill()
    assert (command.returncode, said) == (status, line)


@pytest.mark.paddle
def test_sigterm_while_paddle_computes(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text(
        "version: 1\nkind: distill\n"
        "student: {program: 'zoo:yolov3_mobilenet_v1?num_classes=3&scale=0.25'}\n"
        "teacher: {program: 'zoo:yolov3_mobilenet_v1?num_classes=3&scale=0.25'}\n"
        "pairs: [{student: conv2d_20.tmp_1, teacher: conv2d_20.tmp_1, loss: l2, weight: 1}]\n"
    )
    check = subprocess.Popen(
        [Path(sys.executable).with_name("graphprobe"), "check", "d.yaml"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert check.stderr is not None
    # Paddle is there, and builds; on a busy machine a line about that may come first.
    assert any("the teacher is untrained" in line for line in iter(check.stderr.readline, ""))
    check.send_signal(signal.SIGTERM)
    out, said = check.communicate(timeout=60)
    assert (check.returncode, out, said.splitlines()[-1]) == (143, "", "terminated")
    assert [path.name for path in tmp_path.iterdir()] == ["d.yaml"]
