"""Bundled programs, each read once for all tests of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from graphprobe.ir import Program
from graphprobe.programs import load_program


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "analysis-cache"))
        yield


@pytest.fixture(scope="session")
def program() -> Callable[[str], Program]:
    """PROGRAM -> the program."""
    return cache(load_program)
