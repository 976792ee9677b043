"""A fault of graphprobe is one line and status 3; a part that it spoils costs that part alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphprobe_cli._errors import OWN_FAULT, run
from graphprobe_cli.main import build_app

from graphprobe import programs
from graphprobe.errors import place
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.yaml_io import read_yaml


def network(source: str) -> Program:
    b = Builder()
    x = b.feed("image", (-1, 3, 32, 32))
    x = b.op("relu", {"X": b.conv(x, 8, k=3, name="a")}, shape=(-1, 8, 32, 32))
    x = b.conv(x, 4, name="b")
    return b.build([b.op("softmax", {"X": x})], source=source)


def fault(*_: object, **__: object) -> None:
    raise IndexError("tuple index\nout of range")


@pytest.fixture(autouse=True)
def _mine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "load_program", network)


def test_one_line_says_what_and_where_and_names_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = tmp_path / "m.pdmodel"
    model.touch()
    monkeypatch.setattr("graphprobe.api.variables.list_vars", fault)
    assert run(build_app("vars"), ["vars", str(model)]) == OWN_FAULT == 3
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"error: {model}: a fault of graphprobe")
    assert "IndexError tuple index out of range at graphprobe.api.variables:" in err
    assert "report" in err and "--debug" in err


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("graphprobe.api.variables.list_vars", fault)
    assert run(build_app("vars"), ["vars", "x"], debug=True) == 3
    assert "Traceback" in capsys.readouterr().err


def test_a_folder_that_may_not_be_read_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/data/images")

    monkeypatch.setattr("graphprobe_cli.vars.list_variables", refuse)
    assert run(build_app("vars"), ["vars", "x"]) == 2
    assert capsys.readouterr().err == "error: /data/images: cannot be used (Permission denied)\n"


@pytest.mark.parametrize(
    ("broken", "part"),
    [
        ("graphprobe.api.findings.prune_findings", "prune decisions"),
        ("graphprobe.api.findings.measure", "parameters and multiply-adds"),
        ("graphprobe.pairing.find.find_pairs", "pairs"),
    ],
)
@pytest.mark.parametrize("command", ["draw", "report"])
def test_a_spoilt_part_is_left_out_and_said(
    command: str,
    broken: str,
    part: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(broken, fault)
    page = tmp_path / "x.html"
    program = ["x"] if command == "draw" else ["--student", "x"]
    assert run(build_app(command), [command, *program, "--teacher", "y", "-o", str(page)]) == 0
    err = capsys.readouterr().err
    assert f"{part}: left out for a fault of graphprobe (IndexError at " in err
    assert "softmax" in page.read_text()


def test_sizes_that_no_machine_holds_are_not_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def absurd(source: str) -> Program:
        b = Builder()
        x = b.feed("image", (-1, 3, 32, 32))
        filter_ = b.param("huge", (2**60, 3, 2**60, *[2**60] * 60))
        x = b.op("conv2d", {"Input": x, "Filter": filter_}, {"Output": "y"}, shape=(-1, 3, 32, 32))
        return b.build([b.conv(x, 4, name="b")], source=source)

    monkeypatch.setattr(programs, "load_program", absurd)
    assert run(build_app("prune-regex"), ["prune-regex", "x", "--format", "json"]) in (0, 1)
    assert "parameters (1): they hold more numbers than 64 bits count" in capsys.readouterr().out
    for name in ("x.pdf", "x.html"):
        assert run(build_app("draw"), ["draw", "x", "-o", str(tmp_path / name)]) == 0
        assert "left out" not in capsys.readouterr().err


def test_place_names_the_innermost_line_of_graphprobe() -> None:
    with pytest.raises(AttributeError) as raised:
        read_yaml(3)  # type: ignore[arg-type]
    assert place(raised.value).startswith("graphprobe.yaml_io:")
    assert place(ValueError()) == "graphprobe"
