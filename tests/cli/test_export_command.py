"""``graphprobe export PROGRAM --form pdmodel -o FOLDER``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from graphprobe_cli.main import build_app, run

PIR = Path(__file__).resolve().parents[1] / "programs" / "pir"


def test_a_conversion_names_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for suffix in ("json", "pdiparams"):
        shutil.copy(PIR / f"attention.{suffix}", tmp_path / f"m.{suffix}")
    out = tmp_path / "out"
    words = ["export", str(tmp_path / "m.json"), "--form", "pdmodel", "-o", str(out)]
    assert run(build_app("export"), words) == 0
    printed = capsys.readouterr()
    assert printed.out.split() == [
        str(out / "inference.pdmodel"),
        str(out / "inference.pdiparams"),
    ]
    assert "(pir)" in printed.err


def test_files_that_are_there_stay_without_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for suffix in ("json", "pdiparams"):
        shutil.copy(PIR / f"attention.{suffix}", tmp_path / f"inference.{suffix}")
    mine = (tmp_path / "inference.pdiparams").read_bytes()
    words = ["export", str(tmp_path / "inference.json"), "--form", "pdmodel", "-o", str(tmp_path)]
    assert run(build_app("export"), words) == 2
    error = capsys.readouterr().err
    assert "would replace inference.pdiparams" in error and "--force" in error
    assert sorted(p.name for p in tmp_path.iterdir()) == ["inference.json", "inference.pdiparams"]
    assert run(build_app("export"), [*words, "--force"]) == 0
    assert (tmp_path / "inference.pdiparams").read_bytes() == mine
    assert (tmp_path / "inference.pdmodel").exists()


@pytest.mark.parametrize("name", ["infer_cfg.yml", "model.pdmodel", "__model__", "deploy.yaml"])
def test_an_export_of_a_run_replaces_no_model_without_force(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(tmp_path / "run.yaml"), "--output", str(tmp_path / "out")]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "note.txt").write_text("mine")
    assert run(build_app("export"), words) == 2
    assert "would replace" not in capsys.readouterr().err  # but that there is no such run
    (tmp_path / "out" / name).write_text("mine")
    assert run(build_app("export"), words) == 2
    error = capsys.readouterr().err
    assert f"out: would replace {name}; name another folder, or take --force" in error
    assert run(build_app("export"), [*words, "--force"]) == 2
    assert "would replace" not in capsys.readouterr().err
    assert (tmp_path / "out" / name).read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--form", "onnx", "-o", "OUT"], "no form 'onnx'"),
        (["--form", "pdmodel"], "name it: -o FOLDER"),
    ],
)
def test_bad_use(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.replace("OUT", str(tmp_path / "out")) for word in words]
    assert run(build_app("export"), ["export", str(PIR / "attention.json"), *given]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_name_with_a_folder_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused before the run is opened."""
    assert run(build_app("export"), ["export", str(tmp_path / "none"), "--name", "a/b"]) == 2
    error = capsys.readouterr().err
    assert "must be letters, digits, dots and dashes" in error and error.count("\n") == 1
