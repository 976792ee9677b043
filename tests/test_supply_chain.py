"""What make installs is named with its hash: packages, uv itself, and what make audit runs."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", [p for p in LOCKS if p.stem != "overrides"], ids=lambda p: p.stem)
def test_every_locked_package_has_a_version_and_hashes(path: Path) -> None:
    text = path.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[\w.\[\]-]+==[\w.!+]+ ", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line


def test_uv_and_the_build_back_end_are_locked() -> None:
    assert re.search(r"^uv==", (ROOT / "requirements" / "uv.txt").read_text(), re.M)
    for device in ("cpu", "gpu", "cpu3", "none"):
        lock = (ROOT / "requirements" / f"{device}.txt").read_text()
        assert re.search(r"^setuptools==", lock, re.M)
    script = (ROOT / "tools" / "install.py").read_text()
    assert '"--require-hashes", "-r", "requirements/uv.txt"' in script
    assert "--no-build-isolation" in script
    assert '"uv"]' not in script and '"-q", "uv"' not in script


def test_an_audit_tells_what_is_weak_from_what_it_was_not_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    audit = importlib.import_module("audit")
    weak = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
    packages = [
        {"name": "good", "version": "1", "vulns": []},
        {"name": "bad", "version": "1.9", "vulns": [weak]},
        {"name": "new", "skip_reason": "Dependency not found on PyPI"},
    ]
    found = audit.findings({"dependencies": packages, "fixes": []})
    assert found == (["bad 1.9: PYSEC-1, mended in 2.0"], ["new"])
    assert {"requirements/cpu.txt", "requirements/gpu.txt", "requirements/uv.txt"} <= set(
        audit.locks()
    )
