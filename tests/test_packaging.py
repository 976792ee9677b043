"""What an install puts where, and what a fast command may import."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def source_copy(folder: Path) -> Path:
    """The files git would give a fresh clone, so that building leaves nothing in the project."""
    import shutil

    for name in ("graphprobe", "cli", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    build = tmp_path_factory.mktemp("wheel")
    source = source_copy(tmp_path_factory.mktemp("source"))
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "-w", str(build), str(source)],
        check=True,
    )  # fmt: skip
    (wheel,) = build.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_a_wheel_has_no_global_package_called_cli_or_templates(wheel_names: list[str]) -> None:
    top = {name.split("/")[0] for name in wheel_names}
    packages = {name for name in top if not name.endswith(".dist-info")}
    assert packages == {"graphprobe", "graphprobe_cli", "graphprobe_templates"}


def test_a_wheel_has_every_module_and_data_file(wheel_names: list[str]) -> None:
    folders = {
        "graphprobe": "graphprobe",
        "cli": "graphprobe_cli",
        "templates": "graphprobe_templates",
    }
    for folder, package in folders.items():
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                name = f"{package}/{file.relative_to(ROOT / folder).as_posix()}"
                assert name in wheel_names


POISON = """
import sys
for name in {blocked!r}:
    sys.modules[name] = None
sys.argv = ["graphprobe", {args}]
from graphprobe_cli.main import main
main()
"""


@pytest.mark.parametrize(
    "command", ["", "vars", "pairs", "prune-regex", "sensitivity", "draw", "train", "check"]
)
def test_help_imports_nothing_heavy(command: str) -> None:
    blocked = ["paddle", "paddleslim", "networkx", "numpy", "pydantic", "reportlab", "sklearn"]
    args = f"{command!r}, '--help'" if command else "'--help'"
    done = subprocess.run(
        [sys.executable, "-c", POISON.format(blocked=blocked, args=args)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Usage: graphprobe" in done.stdout
