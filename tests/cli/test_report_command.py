"""graphprobe report as a user calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app


def report(*words: object) -> int:
    return run(build_app("report"), ["report", *map(str, words)])


def test_one_program(program_files: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    model = program_files["ssd_mobilenet_v1_p2.2"]
    assert report("--student", model, "-o", out) == 0
    text = out.read_text(encoding="utf-8")
    assert "15 convolutions" in text
    assert "<td>box_coder" in text or "box_coder_0.tmp_0" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--student", "{tmp}/none", "-o", "{tmp}/x.html"], "no such file"),
        (["--student", "{tmp}/none", "-o", "{tmp}/x.doc"], "name it .html"),
        (["-o", "{tmp}/x.html"], "--student"),
    ],
)
def test_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert report(*(word.format(tmp=tmp_path) for word in words)) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
