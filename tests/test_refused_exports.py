"""Trainings of an exported program that are refused leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

from tools import tiny_export

pytestmark = pytest.mark.paddle


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_is_refused_late_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_export.write_model(tmp_path / "model")
    tiny_export.write_images(tmp_path / "photos")
    before = files(tmp_path)
    line = ["train", "--student", "model", "--prune", "0.3", "--data"]
    for more, said in (
        (["images:photos", "-o", "student.weights=nowhere.npz"], "nowhere.npz: no such weights"),
        (["images:photos", "-o", "train.data.train=images:nowhere"], "nowhere: does not exist"),
        (["images:nope"], "nope: does not exist"),
    ):
        assert run(build_app("train"), line + more) == 2
        told = capsys.readouterr().err
        assert said in told.splitlines()[-1]
        assert "no evaluation" not in told
        assert files(tmp_path) == before
