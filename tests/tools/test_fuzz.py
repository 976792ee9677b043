"""A short run of the fuzzer, and that it would notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOLS / "fuzz.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_few_hundred_damaged_programs() -> None:
    result = run("--inputs", "600", "--workers", "1", "--seed", "5")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("600/600 inputs")
    assert result.stdout.rstrip().endswith("0 failures")
    # Some still are programs, so more than the first check of a reader was reached.
    assert int(result.stdout.split(",")[2].split()[0]) > 20


PLANTED = """
import sys
sys.argv = ["fuzz", "--inputs", "80", "--workers", "1"]
sys.path.insert(0, {tools!r})
import dataclasses, fuzz
from pathlib import Path

def target(data):
    count["n"] += 1
    {action}

count = {{"n": 0}}
fuzz.FOUND = Path({found!r})
fuzz.LIMIT_SECONDS = 1
fuzz.TARGETS["readers"] = dataclasses.replace(fuzz.TARGETS["readers"], run=target)
sys.exit(fuzz.main())
"""


def planted(tmp_path: Path, action: str) -> subprocess.CompletedProcess[str]:
    text = PLANTED.format(tools=str(TOOLS), found=str(tmp_path), action=action)
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)


def test_a_wrong_exception_is_noticed_once(tmp_path: Path) -> None:
    result = planted(tmp_path, "raise KeyError('planted')")
    assert result.returncode == 1
    assert result.stdout.rstrip().endswith("1 failures")
    assert "KeyError: 'planted'" in result.stderr
    assert len(list(tmp_path.iterdir())) == 1


def test_a_crash_of_the_process_is_noticed(tmp_path: Path) -> None:
    result = planted(tmp_path, "import os; os._exit(9) if count['n'] == 30 else None")
    assert result.returncode == 1
    assert "the process ended with 9" in result.stderr


def test_a_hang_is_noticed(tmp_path: Path) -> None:
    result = planted(tmp_path, "\n    while count['n'] == 30: pass")
    assert result.returncode == 1
    assert "Hang: over 1 s of CPU" in result.stderr


def test_too_much_memory_is_noticed(tmp_path: Path) -> None:
    result = planted(tmp_path, "bytearray(2**31 if count['n'] == 30 else 1)")
    assert result.returncode == 1
    assert "MemoryError" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the system's own way is used")
def test_no_worker_outlives_its_parent(tmp_path: Path) -> None:
    """Not even one that is busy; they hold its stdout, which ends when the last of them does."""
    busy = "print('busy', flush=True) or [None for _ in iter(int, 1)]"
    text = PLANTED.format(tools=str(TOOLS), found=str(tmp_path), action=busy)
    text = text.replace("LIMIT_SECONDS = 1", "LIMIT_SECONDS = 1000").replace('"1"]', '"3"]')
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(3)] == [b"busy\n"] * 3
        process.kill()
        process.communicate(timeout=30)
