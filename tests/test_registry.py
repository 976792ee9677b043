from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from graphprobe.registry import discover


@dataclass(frozen=True)
class Item:
    name: str


def make_package(folder: Path, name: str, modules: dict[str, str]) -> str:
    package = folder / name
    package.mkdir()
    for file, text in {"__init__": "", **modules}.items():
        (package / f"{file}.py").write_text(text)
    return name


@pytest.fixture(autouse=True)
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "items_of_test", sys.modules[__name__])


MAKE = "from items_of_test import Item\nITEM = Item({!r})\n"


def test_collects_every_module_but_private_ones_by_name(tmp_path: Path) -> None:
    package = make_package(
        tmp_path,
        "reg_ok",
        {"b": MAKE.format("zeta"), "a": MAKE.format("alpha"), "_c": "raise 1"},
    )
    assert list(discover(package, "ITEM", Item)) == ["alpha", "zeta"]


def test_refuses_a_module_without_the_export(tmp_path: Path) -> None:
    package = make_package(tmp_path, "reg_none", {"a": "ITEM = 3"})
    with pytest.raises(TypeError, match=r"reg_none\.a must define ITEM: Item"):
        discover(package, "ITEM", Item)


def test_refuses_two_of_one_name(tmp_path: Path) -> None:
    package = make_package(tmp_path, "reg_two", {"a": MAKE.format("x"), "b": MAKE.format("x")})
    with pytest.raises(TypeError, match="a second ITEM is called x"):
        discover(package, "ITEM", Item)
