"""One value carries a loaded program: it is read once, and so is all that follows from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from graphprobe import programs
from graphprobe.ir import Origin, Program
from graphprobe.ir.builder import Builder
from graphprobe.ir.dataflow import build_dataflow
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.programs import IN_MEMORY, LoadedProgram, ProgramCache, load


def small() -> Program:
    b = Builder()
    b.op("relu", {"X": b.conv(b.feed("image", (-1, 3, 32, 32)), 8, k=3)})
    return b.build()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is read."""
    seen: list[str] = []

    def read(text: str) -> Program:
        seen.append(text)
        return small()

    monkeypatch.setattr(programs, "load_program", read)
    return seen


def test_what_was_loaded_is_given_back(reads: list[str]) -> None:
    loaded = load(Path("some") / "file")
    assert load(loaded) is loaded
    assert loaded.source == str(Path("some") / "file")
    assert reads == [loaded.source]


def test_a_command_loads_each_name_once(reads: list[str]) -> None:
    cache = ProgramCache()
    first = cache.load("a")
    assert cache.load("a") is first
    assert cache.load("b") is not first
    assert cache.load(first) is first
    assert reads == ["a", "b"]


def test_a_program_that_was_loaded_before_the_command_is_not_read_again(reads: list[str]) -> None:
    cache, loaded = ProgramCache(), LoadedProgram("a", small())
    assert cache.load(loaded) is loaded
    assert cache.load("a") is loaded
    assert reads == []


def test_what_follows_from_a_program_is_made_once() -> None:
    made: list[str] = []
    loaded = load(small())
    for _ in range(2):
        assert loaded.once(("network", "train"), lambda: made.append("train") or "built") == "built"
    assert loaded.once(("network", "eval"), lambda: "other") == "other"
    assert made == ["train"]


def test_dataflow_and_fingerprint_are_those_of_the_program() -> None:
    program = small()
    loaded = load(program)
    assert loaded.dataflow is program.dataflow is loaded.dataflow
    assert loaded.dataflow.values == build_dataflow(program).values
    assert loaded.fingerprint == fingerprint(program)


def test_a_program_without_a_name_says_so() -> None:
    loaded = load(replace(small(), origin=Origin()))
    assert (loaded.source, loaded.is_named) == (IN_MEMORY, False)
    assert LoadedProgram("model.pdmodel", small()).is_named


def test_a_short_text_and_a_dict() -> None:
    loaded = LoadedProgram("model", small())
    assert repr(loaded) == "<LoadedProgram 'model': programdesc, 2 ops, 1 parameters>"
    document = loaded.to_dict()
    assert document["fingerprint"] == loaded.fingerprint
    assert (document["ops"], document["parameters"], document["feeds"]) == (2, 1, ["image"])


@pytest.mark.paddle
def test_a_paddle_program() -> None:
    import paddle

    from graphprobe.model import Model

    paddle.enable_static()
    main = paddle.static.Program()
    with (
        paddle.static.program_guard(main, paddle.static.Program()),
        paddle.utils.unique_name.guard(),
    ):
        paddle.nn.functional.relu(paddle.static.data("x", [-1, 3, 8, 8]))
    for given in (main, Model("segmentation", 2, (), program=main)):
        loaded = load(given)
        assert [op.type for op in loaded.program.ops] == ["relu"]
        assert not loaded.is_named
