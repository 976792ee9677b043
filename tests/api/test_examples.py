"""The examples in the docstrings, run as they stand."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import graphprobe

RUNS = ("LoadedProgram", "choose_ratios", "draw", "find_pairs", "find_prunable", "list_variables",
        "load", "report")  # fmt: skip


@pytest.mark.paddle
@pytest.mark.parametrize("name", RUNS)
def test_an_example(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.DocTestFinder(recurse=False).find(
        getattr(graphprobe, name), name, globs={"graphprobe": graphprobe}
    )
    runner = doctest.DocTestRunner()
    for test in found:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert runner.tries > 0
