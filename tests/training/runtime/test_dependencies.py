from __future__ import annotations

from typing import Any

import pytest

from graphprobe.errors import MissingDependency
from graphprobe.training.runtime import dependencies


def test_none_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "installed_version", lambda _: None)
    monkeypatch.setattr(dependencies, "find_spec", lambda _: None)
    with pytest.raises(MissingDependency, match=r"needs PaddlePaddle.*graphprobe\[cpu\]"):
        dependencies.require_paddle()


def test_both_installed_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "installed_version", lambda _: "2.6.2")
    with pytest.raises(
        MissingDependency, match="both paddlepaddle 2.6.2 and paddlepaddle-gpu 2.6.2"
    ):
        dependencies.require_paddle()


def test_paddleslim_is_missed_only_by_what_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Any:
        return None if name == "paddleslim" else object()

    imported: list[bool] = []
    monkeypatch.setattr(
        dependencies,
        "installed_version",
        lambda name: "2.6.2" if name == dependencies.CPU else None,
    )
    monkeypatch.setattr(dependencies, "find_spec", find)
    monkeypatch.setattr(dependencies, "import_paddle", lambda: imported.append(True))
    dependencies.require_paddle()
    assert imported
    with pytest.raises(MissingDependency, match=r"engine: paddleslim needs.*set prune\.engine=own"):
        dependencies.require_paddleslim("prune.engine: paddleslim", "prune.engine=own")
