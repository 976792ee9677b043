"""diagnose, and graphprobe doctor."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

import graphprobe
from graphprobe.api.doctor import install_command
from graphprobe.compat import installed
from graphprobe.compat.installed import PaddleBuild

CARD = """#!/bin/sh
echo "NVIDIA Made Up 4090, 8.9, 550.54"
"""


def build(monkeypatch, found: PaddleBuild | None) -> None:
    monkeypatch.setattr("graphprobe.api.doctor.find_build", lambda: found)


@pytest.fixture
def card(tmp_path, monkeypatch):
    """A machine whose driver lists one card of compute capability 8.9."""
    program = tmp_path / "nvidia-smi"
    program.write_text(CARD)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def ability(words: str) -> object:
    return next(one for one in graphprobe.diagnose().abilities if words in one.what)


def test_nothing_of_paddle_is_needed_or_imported(monkeypatch):
    build(monkeypatch, None)
    found = graphprobe.diagnose()
    assert found.ok and found.paddle is None
    assert found.versions["graphprobe"] == graphprobe.__version__
    training = ability("training on a CPU")
    assert training.works is False and "graphprobe[cpu]" in training.note


def test_two_builds_are_broken(monkeypatch):
    both = ("paddlepaddle 2.6.2", "paddlepaddle-gpu 2.6.2")
    build(monkeypatch, PaddleBuild(both, "2.6.2", None, None))
    found = graphprobe.diagnose()
    assert not found.ok
    assert "overwrite each other" in ability("training on a CPU").note


def test_the_commands_are_those_of_the_page_about_cards(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 13))
    page = (Path(__file__).resolve().parents[2] / "docs" / "compat.md").read_text()
    for capability in ("6.1", "8.0", "9.0", "10.0", "12.0"):
        assert f"`{install_command(capability)}`" in page


@pytest.mark.parametrize(
    ("archs", "works", "words"),
    [
        (("8.0", "8.6"), True, "NVIDIA Made Up 4090"),
        (("8.0", "8.9"), True, "CUDA 12.6"),
        (("7.5", "9.0", "12.0"), False, "has no code for 8.9"),
        (None, None, "not known"),
    ],
)
def test_machine_code_runs_on_later_cards_of_its_major_number_alone(
    monkeypatch, card, archs, works, words
):
    build(monkeypatch, PaddleBuild(("paddlepaddle-gpu 3.3.1",), "3.3.1", "12.6", archs))
    found = ability("GPU")
    assert found.works is works and words in found.note


def test_a_build_for_cpus_on_a_machine_with_a_card(monkeypatch, card):
    build(monkeypatch, PaddleBuild(("paddlepaddle 3.3.1",), "3.3.1", None, None))
    found = ability("GPU")
    assert found.works is False and "packages/stable/cu126" in found.note


def test_what_to_install_for_a_card(monkeypatch):
    assert install_command("8.9").endswith("cu126/") and install_command("9.0").endswith("cu126/")
    assert install_command("10.0").endswith("cu129/") and install_command("12.0").endswith("cu129/")
    older = ("7.5", "8.6")
    monkeypatch.setattr(sys, "version_info", (3, 12))
    assert {install_command(card) for card in older} == {"pip install 'graphprobe[gpu]'"}
    monkeypatch.setattr(sys, "version_info", (3, 13))
    assert [install_command(card)[-6:] for card in older] == ["cu118/", "cu126/"]


def test_a_build_is_read_from_its_files_and_never_run(tmp_path, monkeypatch):
    folder = tmp_path / "paddle"
    (folder / "version").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    (folder / "version" / "__init__.py").write_text(
        "full_version = '3.3.1'\ncuda_version = '12.9'\n"
        "compiled_cuda_archs = [75, 80, 86, 90, 100, 120]\nraise SystemExit('run')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "paddle", raising=False)
    found = installed.find_build()
    assert found is not None
    assert (found.version, found.cuda) == ("3.3.1", "12.9")
    assert found.archs == ("7.5", "8.0", "8.6", "9.0", "10.0", "12.0")


def test_an_older_wheel_that_does_not_list_its_cards(tmp_path, monkeypatch):
    folder = tmp_path / "paddle"
    (folder / "version").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "version" / "__init__.py").write_text("full_version='2.6.2'\ncuda_version='11.7'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "paddle", raising=False)
    found = installed.find_build()
    assert found is not None and found.archs == ("6.1", "7.0", "7.5", "8.0", "8.6")


def test_the_command_fits_80_columns_and_writes_json(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PATH", str(tmp_path))
    build(monkeypatch, PaddleBuild(("paddlepaddle-gpu 3.3.1",), "3.3.1", "12.6", None))
    assert run(build_app("doctor"), ["doctor"], debug=True) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "code for unknown cards" in shown and "vars, pairs" in shown
    target = tmp_path / "d.json"
    words = ["doctor", "--format", "json", "-o", str(target)]
    assert run(build_app("doctor"), words, debug=True) == 0
    document = json.loads(target.read_text())
    assert document["ok"] is True and document["abilities"][0]["works"] is True


def test_the_command_says_no_where_something_is_broken(monkeypatch, capsys):
    both = ("paddlepaddle 2.6.2", "paddlepaddle-gpu 2.6.2")
    build(monkeypatch, PaddleBuild(both, "2.6.2", None, None))
    assert run(build_app("doctor"), ["doctor"], debug=True) == 1
    assert "broken" in capsys.readouterr().out
