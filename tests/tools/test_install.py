"""Which Python an environment for one Paddle gets."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "install.py"


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
    monkeypatch.setattr(install, "find_python", lambda version: f"/opt/python{version}")
    assert install.python_for("2.6.2") == "/opt/python3.11"
    assert install.python_for("3.3.1") == "/opt/python3.13"
    assert install.python_for("none") == "/opt/python3.10"
