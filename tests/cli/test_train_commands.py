"""What the training commands refuse before anything is built: one line, exit 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

from graphprobe.training.runtime import dependencies

COMMANDS = ("train", "check", "eval", "infer", "export")
VALID = "version: 1\nkind: train\nstudent: {program: 'zoo:yolov3_mobilenet_v1'}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_problem_of_a_config_in_one_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(VALID + "train: {batch_sise: 8, max_iters: many, data: {val: 3}}\n")
    assert run(build_app(command), [command, str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "train.batch_sise: unknown key, did you mean batch_size?" in lines[0]
    assert "train.max_iters: must be a whole number" in lines[0]
    assert "train.data.val: must be text" in lines[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_config_and_a_missing_paddle(
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run(build_app(command), [command, str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: is not there; name a config" in capsys.readouterr().err
    path = tmp_path / "c.yaml"
    path.write_text(VALID)
    monkeypatch.setattr(dependencies, "installed_version", lambda _: None)
    monkeypatch.setattr(dependencies, "find_spec", lambda _: None)
    assert run(build_app(command), [command, str(path)]) == 2
    assert "graphprobe[cpu]" in capsys.readouterr().err
