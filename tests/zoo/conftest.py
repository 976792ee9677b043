"""Each program of the zoo is built once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from graphprobe.formats import load_bytes
from graphprobe.ir import Program
from graphprobe.zoo import Built, build_zoo, parse_zoo, zoo_bytes


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache."""
    folder = tmp_path_factory.getbasetemp() / "zoo-cache"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def built() -> Callable[[str], Built]:
    """``zoo:NAME?...`` -> what a trainer gets."""
    return cache(lambda text: build_zoo(parse_zoo(text)))


@pytest.fixture(scope="session")
def program() -> Callable[[str], Program]:
    """``zoo:NAME?...`` -> what the commands read."""
    return cache(lambda text: load_bytes(zoo_bytes(text), text))


@pytest.fixture(scope="session")
def run() -> Callable[..., list[Any]]:
    """Run a model from the same fresh weights on a feed; with `steps`, train it on it first."""

    def execute(model: Built, feed: dict[str, Any], names: list[str], steps: int = 0) -> list[Any]:
        import paddle

        # Each test's weights in a scope of its own, the program itself left as it was.
        main = model.main.clone()
        startup = model.startup.clone()
        if steps:
            with paddle.static.program_guard(main, startup):
                loss = main.global_block().var(model.loss)
                paddle.optimizer.Momentum(1e-3, 0.9).minimize(loss)
        with paddle.static.scope_guard(paddle.static.Scope()):
            paddle.seed(7)
            executor = paddle.static.Executor(paddle.CPUPlace())
            executor.run(startup)
            found = executor.run(main, feed=feed, fetch_list=names)
            for _ in range(steps):
                found = executor.run(main, feed=feed, fetch_list=names)
        return list(found)

    return execute
