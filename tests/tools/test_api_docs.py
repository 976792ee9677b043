"""docs/api.md is what tools/api_docs.py writes from the docstrings."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import graphprobe

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def api_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("api_docs", ROOT / "tools" / "api_docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(api_docs: ModuleType) -> None:
    assert (ROOT / "docs" / "api.md").read_text("utf-8") == api_docs.page(), "run make docs"


def test_every_public_name_has_a_heading(api_docs: ModuleType) -> None:
    lines = api_docs.page().splitlines()
    listed = set(graphprobe.__all__) - set(api_docs.UNLISTED)
    assert {line[4:] for line in lines if line.startswith("### ")} == listed
