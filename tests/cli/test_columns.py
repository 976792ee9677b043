"""Every table fits 80 columns, with names as long as real programs have them."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

import graphprobe
from graphprobe.formats import write_program
from graphprobe.ir import Program
from graphprobe.ir.permute import rename_all

# What exporters of detectors and text models write, and one that no line of 80 holds.
NAMES = {
    "short": "conv2d_{}.w_0",
    "long": "neck.fpn_blocks.{}.downsample.conv.weight",
    "longest": "student.detector.backbone.stages.3.blocks.{}.attention.projection.conv.w",
}
PROGRAMS = ("mobilenet_v1_p1.x", "yolov3_p1.8", "ssd_mobilenet_v1_p2.2", "deeplabv3p_p2.2")
COMMANDS = {
    "vars": ("vars", "PROGRAM"),
    "vars of two": ("vars", "PROGRAM", "--teacher", "PROGRAM"),
    "pairs": ("pairs", "--student", "PROGRAM", "--teacher", "PROGRAM"),
    "backbone": (
        *("pairs", "--student", "PROGRAM", "--teacher", "PROGRAM"),
        *("--rule", "backbone_stages"),
    ),
    "seeds": ("prune-regex", "PROGRAM"),
    "coupled": ("prune-regex", "PROGRAM", "--policy", "coupled"),
    "none selected": ("prune-regex", "PROGRAM", "--keep", "."),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request: pytest.FixtureRequest, program_files: dict[str, Path]) -> Program:
    return graphprobe.load(program_files[request.param]).program


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("names", NAMES)
def test_tables_of_programs(
    command: str, names: str, program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.pdmodel"
    file.write_bytes(write_program(rename_all(program, 3, NAMES[names])[0]))
    run(
        build_app(COMMANDS[command][0]),
        [w.replace("PROGRAM", str(file)) for w in COMMANDS[command]],
    )
    check(capsys.readouterr().out, file)


@pytest.mark.parametrize(
    "kind",
    ["zoo", "losses", "rules", "data", "ops", "targets", "emitters", "renderers", "loaders"],
)
def test_lists(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build_app("list"), ["list", kind]) == 0
    check(capsys.readouterr().out)


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    run(build_app("doctor"), ["doctor"])
    check(capsys.readouterr().out)


def check(text: str, file: Path | None = None) -> None:
    """No line is longer, but those that are copied whole: a path, a name, the regex."""
    lines = text.splitlines()
    assert lines
    for line in lines:
        whole = line.startswith("^") or (file is not None and str(file) in line)
        # a name that alone is longer stands on a line of its own
        assert len(line) <= 80 or whole or len(line.split()) == 1, line
