from __future__ import annotations

import subprocess
import sys

import pytest

from graphprobe.version import __version__


def graphprobe(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from graphprobe_cli.main import main; main()", *words],
        capture_output=True, text=True,
    )  # fmt: skip


def test_version() -> None:
    done = graphprobe("--version")
    assert (done.returncode, done.stdout) == (0, f"graphprobe {__version__}\n")


def test_help_lists_the_commands_of_the_contract() -> None:
    done = graphprobe("--help")
    assert done.returncode == 0
    for name in (
        "vars",
        "pairs",
        "prune-regex",
        "draw",
        "train",
        "check",
        "eval",
        "infer",
        "export",
    ):
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("wars",),
        ("vars",),
        ("vars", "a", "--nope"),
        ("vars", "a", "--format", "xml"),
        ("vars", "/does/not/exist"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(words: tuple[str, ...]) -> None:
    done = graphprobe(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_debug_shows_the_traceback() -> None:
    done = graphprobe("--debug", "vars", "/does/not/exist")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
