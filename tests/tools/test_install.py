"""Which Python an environment for one Paddle gets."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "install.py"


@pytest.fixture(scope="module")
def install() -> Any:
    spec = importlib.util.spec_from_file_location("install", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_this_python_is_taken_where_it_is_the_one(install: Any) -> None:
    assert install.find_python(f"{sys.version_info[0]}.{sys.version_info[1]}") == sys.executable


def test_a_stand_in_that_does_not_run_is_passed_over(
    install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install.find_python("3.99") is None
    found = executable(tmp_path / "python3.99", "#!/bin/sh\nexit 127\n")
    assert install.find_python("3.99") is None
    executable(found, "#!/bin/sh\necho /opt/python3.99\n")
    assert install.find_python("3.99") == "/opt/python3.99"


def test_pyenv_has_one_that_is_not_on_the_path(
    install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "versions" / "bin").mkdir(parents=True)
    executable(tmp_path / "versions" / "bin" / "python", "#!/bin/sh\necho /opt/of-pyenv\n")
    executable(tmp_path / "pyenv", f"#!/bin/sh\necho {tmp_path}/versions\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install.find_python("3.99") == "/opt/of-pyenv"


def test_a_machine_without_a_python_for_the_old_paddle_is_told_in_one_line(
    install: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install.sys, "version_info", (3, 13, 0))
    monkeypatch.setattr(install, "find_python", lambda version: None)
    with pytest.raises(SystemExit, match=r"Paddle 2\.6\.2 needs Python 3\.10 to 3\.12") as end:
        install.python_for("2.6.2")
    assert "\n" not in str(end.value)
    assert install.python_for("3.3.1") == sys.executable
    with pytest.raises(SystemExit, match=r"^error: no Python 3\.10 was found$"):
        install.python_for("none-3.10")
    monkeypatch.setattr(install, "find_python", lambda version: f"/opt/python{version}")
    assert install.python_for("2.6.2") == "/opt/python3.11"
    assert install.python_for("3.3.1") == "/opt/python3.13"
    assert install.python_for("none") == "/opt/python3.10"
    assert install.python_for("none-3.13") == "/opt/python3.13"
    assert install.python_for("2.6.2-3.10") == "/opt/python3.10"
    assert install.python_for("3.3.1-3.12") == "/opt/python3.12"


def test_a_name_is_a_paddle_and_a_python_that_it_has_wheels_for(install: Any) -> None:
    assert {"2.6.2", "2.6.2-3.12", "3.3.1-3.10", "none-3.13"} <= set(install.NAMES)
    assert "2.6.2-3.13" not in install.NAMES


def ends_with(folder: Path, python: tuple[int, int], paddle: str) -> tuple[int, str]:
    """Status and last line of an installation into a folder, with what is on that PATH alone."""
    program = f"""
import runpy, sys
sys.argv = ["install.py", "--paddle", {paddle!r}, "--into", {str(folder / "env")!r}]
sys.version_info = {(*python, 0)}
runpy.run_path({str(TOOL)!r}, run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.splitlines()[-1]


def test_the_status_tells_a_missing_python_from_a_fault(tmp_path: Path) -> None:
    executable(tmp_path / "uv", "#!/bin/sh\nexit 2\n")
    assert ends_with(tmp_path, (3, 14), "2.6.2") == (
        3,
        "error: Paddle 2.6.2 needs Python 3.10 to 3.12, and none of them was found",
    )
    assert ends_with(tmp_path, (3, 14), "3.3.1") == (
        3,
        "error: no Python >=3.10,<3.14 was found or could be fetched",
    )
    status, line = ends_with(tmp_path, (3, 13), "3.3.1")
    assert status == 1 and line.endswith("failed with status 2")
    # a lock whose packages cannot be had, on a Python that is there
    executable(tmp_path / "uv", '#!/bin/sh\n[ "$1" = venv ] || exit 1\n')
    assert ends_with(tmp_path, (3, 13), "3.3.1")[0] == 1


@pytest.mark.parametrize(
    ("installed", "status", "tested"), [(0, 0, True), (3, 0, False), (1, 1, False)]
)
def test_ci_passes_over_a_paddle_only_where_the_machine_cannot_have_it(
    tmp_path: Path, installed: int, status: int, tested: bool
) -> None:
    for name in (".ci", "tools", "bin"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "tools" / "install.py").write_text(f"import sys; sys.exit({installed})")
    executable(tmp_path / "bin" / "make", '#!/bin/sh\necho "make $*" >>made\n')
    executable(tmp_path / "bin" / "chromium", "#!/bin/sh\n")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", tmp_path / ".ci" / "run"], env={**os.environ, "PATH": path}, capture_output=True
    )
    assert done.returncode == status
    made = (tmp_path / "made").read_text().splitlines()
    assert made[:2] == ["make lint", "make test"]
    others = ["none-3.10", "none-3.13", "3.3.1"] if tested else []
    assert [line.split()[2] for line in made[2:]] == [f"PADDLE={name}" for name in others]
    assert all(" TESTS=" in line for line in made[2:])


def test_a_tool_that_cannot_be_had_is_named_in_one_line(
    install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = 'printf "error: no network\\n  Caused by: no route\\n" >&2; exit 2'
    executable(tmp_path / "uv", f"#!/bin/sh\ncase $1 in pip) {fails};; esac\n")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "deno.txt").write_text("deno==2.9.8 --hash=sha256:0\n")
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "TOOLS", tmp_path / ".tools")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(install.NotHere) as told:
        install.locked_tool("deno")
    assert str(told.value) == (
        "error: requirements/deno.txt cannot be installed into .tools/deno: "
        "error: no network Caused by: no route"
    )
    assert not (tmp_path / ".tools" / "deno" / ".installed").exists(), "the next run tries again"
