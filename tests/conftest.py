"""Fixtures that more than one test folder uses."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs the folder {name} of real files beside the project")
    return folder


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """Real programs beside the project, where present."""
    return _shared("models")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data sets beside the project, where present."""
    return _shared("data")
