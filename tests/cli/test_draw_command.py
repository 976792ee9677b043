"""graphprobe draw as a user calls it."""

from __future__ import annotations

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app


def draw(*words: object) -> int:
    return run(build_app("draw"), ["draw", *map(str, words)])


@pytest.fixture
def mobilenet(program_files: dict[str, Path]) -> Path:
    return program_files["mobilenet_v1_p1.x"]


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png", "html", "PDF"])
def test_each_format(
    mobilenet: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"graph.{suffix}"
    assert draw(mobilenet, "-o", out) == 0
    heads = {"pdf": b"%PDF", "svg": b"<svg", "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}
    assert out.read_bytes().startswith(heads[suffix.lower()])
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"wrote {out}\n")


def test_convolutions_show_their_prune_status(mobilenet: Path, tmp_path: Path) -> None:
    out = tmp_path / "graph.pdf"
    assert draw(mobilenet, "-o", out) == 0
    text = "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(out.read_bytes())).pages)
    assert "depthwise: one filter a channel, follows its input" in " ".join(text.split())
    assert "prunable: may be pruned" in text
    assert re.search(r"\d+% prunable\s+\d+% depthwise", text)


def test_two_versions_are_compared(
    mobilenet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "diff.html"
    assert draw(mobilenet, "--diff", mobilenet, "-o", out) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"before and after: no difference in structure\nwrote {out}\n"
    assert draw(mobilenet, "--diff", mobilenet, "--teacher", mobilenet, "-o", out) == 2
    assert "leave out the teacher" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{model}", "-o", "{tmp}/x.gif"], "unknown suffix .gif; use one of"),
        (["{model}", "-o", "{tmp}/x"], "no suffix; use one of"),
        (["{model}", "-o", "{tmp}/no/x.pdf"], "its folder is not there"),
        (["{tmp}/none", "-o", "{tmp}/x.pdf"], "no such file or folder"),
        (["{model}", "-o", "{tmp}/x.pdf", "--focus", "sofmax"], "did you mean softmax"),
        (["{model}", "-o", "{tmp}/x.pdf", "--focus", "("], "not a regular expression"),
        (["{model}", "-o", "{tmp}/x.pdf", "--hops", "-1"], "--hops"),
        (["{model}", "-o", "{tmp}/x.pdf", "--level", "steps"], "--level"),
        (["{model}", "-o", "{tmp}/x.pdf", "--pairs", "{tmp}/none.yaml"], "none.yaml"),
        (["{model}", "-o", "{tmp}/x.pdf", "--prune", "{tmp}/none.yaml"], "none.yaml"),
        (["{model}", "-o", "{tmp}/x.pdf", "--engine", "irgraph"], "add --level raw"),
        (["{model}"], "--output"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(
    mobilenet: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    told: str,
) -> None:
    filled = [word.format(model=mobilenet, tmp=tmp_path) for word in words]
    assert draw(*filled) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert told in said.err
    assert list(tmp_path.iterdir()) == []


def test_irgraph_without_dot(
    mobilenet: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ["--level", "raw", "--engine", "irgraph"]
    assert draw(mobilenet, "-o", tmp_path / "x.pdf", *words) == 2
    assert "install Graphviz" in capsys.readouterr().err


def test_files_are_drawn_without_paddle(mobilenet: Path, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "for name in ('paddle', 'paddleslim'): sys.modules[name] = None\n"
        "from graphprobe_cli.main import main; main()"
    )
    for suffix in ("pdf", "svg", "png", "html"):
        words = ["draw", str(mobilenet), "-o", str(tmp_path / f"x.{suffix}")]
        done = subprocess.run(
            [sys.executable, "-c", script, *words], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
