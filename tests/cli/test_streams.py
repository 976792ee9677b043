"""Standard output is the result's alone, whatever a program's own code prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli._words import PARAMETERS, error_line, option, with_options
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
    assert [name for name in PARAMETERS if option(name) not in options] == []


def test_an_option_that_holds_one_value_is_refused_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = ("-o", str(tmp_path / "a.yaml"), "--output", str(tmp_path / "b.json"))
    assert run(build_app("vars"), ["vars", "mine", *outputs]) == 2
    assert "--output: is given 2 times" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert run(build_app("pairs"), ["pairs", "--rule", "a", "--rule", "b"]) == 2
    assert "--rule: is given 2 times" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["-o", "--set", "--override"])
def test_a_value_of_the_config_has_a_long_and_a_short_option(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("version: 1\nkind: train\nstudent: {program: 'zoo:yolov3_r34'}\n")
    assert run(build_app("check"), ["check", str(path), name, "batch_size=4", "-o", "b=1"]) == 2
    assert "batch_size: unknown key, did you mean train.batch_size?" in capsys.readouterr().err
    assert run(build_app("check"), ["check", str(path), name, "out.json"]) == 2
    assert "--set out.json: not of the form" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_at_80_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(build_app(name), [name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Example: graphprobe {name}" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
