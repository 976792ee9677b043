"""Fixtures for reading programs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(scope="session")
def corpus() -> ModuleType:
    """tools/corpus.py: writers of both formats and small programs."""
    spec = importlib.util.spec_from_file_location("corpus", TOOLS / "corpus.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["corpus"] = module
    spec.loader.exec_module(module)
    return module
