"""Standard output is the result's alone, whatever a program's own code prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli._words import PARAMETERS, error_line, with_options
from graphprobe_cli.main import COMMANDS, build_app

from graphprobe import programs
from graphprobe.errors import UsageError
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder


def chatty(text: str) -> Program:
    print("building", text)
    b = Builder()
    head = b.conv(b.feed("image", (-1, 3, 32, 32)), 75, k=3, stride=2)
    attrs = {"anchors": (10, 13), "class_num": 20, "downsample_ratio": 2}
    b.op("yolo_box", {"X": b.conv(head, 25)}, attrs=attrs)
    return b.build(source=text)


@pytest.mark.parametrize(
    "words",
    [
        ("vars", "mine"),
        ("pairs", "--student", "mine", "--teacher", "mine"),
        ("prune-regex", "mine"),
    ],
)
def test_json_is_alone_on_standard_output(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programs, "load_program", chatty)
    assert run(build_app(words[0]), [*words, "--format", "json"]) == 0
    said = capsys.readouterr()
    json.loads(said.out)
    assert "building mine" in said.err


@pytest.mark.parametrize("words", [("draw", "mine"), ("report", "--student", "mine")])
def test_what_writes_files_prints_nothing(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(programs, "load_program", chatty)
    assert run(build_app(words[0]), [*words, "-o", str(tmp_path / "x.html")]) == 0
    said = capsys.readouterr()
    assert said.out == "" and "building mine" in said.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ask for less, or use policy='coupled'", "ask for less, or use --policy coupled"),
        ("target_flops=0.9: at most 80%", "--target-flops 0.9: at most 80%"),
        ("keep='^a b$'", "--keep '^a b$'"),
        ("runs only with allow_code=True: x", "runs only with --allow-code: x"),
        ("zoo:x?data=3 and train.data=4", "zoo:x?data=3 and train.data=4"),
        ("student=PROGRAM data='voc:PATH' (with", "--student PROGRAM --data voc:PATH (with"),
        ("match='('", "--match '('"),
        ("ratio=0.5.", "--ratio 0.5."),
    ],
)
def test_parameters_become_options(text: str, told: str) -> None:
    assert with_options(text) == told


def test_an_error_about_a_parameter_names_the_option() -> None:
    error = UsageError("must be at least 1", where="round_to", hint="give a count")
    assert error_line(error) == "--round-to: must be at least 1; give a count"


def test_every_parameter_is_an_option_of_some_command() -> None:
    from typer.main import get_command

    app = get_command(build_app())
    options = {
        word
        for name in COMMANDS
        for parameter in app.commands[name].params  # type: ignore[attr-defined]
        for word in parameter.opts
    }
    missing = [name for name in PARAMETERS if "--" + name.replace("_", "-") not in options]
    assert missing == []
