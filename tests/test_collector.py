"""No pass of the cycle collector while a program is analysed, and what was set is set again."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import graphprobe
from graphprobe.collector import collector_paused
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder


@contextmanager
def passes() -> Iterator[list[int]]:
    """The generations that the collector looks through, with thresholds that it soon reaches."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            seen.append(info["generation"])

    before = gc.get_threshold()
    gc.callbacks.append(note)
    gc.set_threshold(10, 2, 2)
    try:
        yield seen
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(note)


@pytest.mark.parametrize("was_on", [True, False])
def test_what_was_set_is_set_again(was_on: bool) -> None:
    (gc.enable if was_on else gc.disable)()
    try:
        with collector_paused():
            assert not gc.isenabled()
        assert gc.isenabled() == was_on
        with pytest.raises(KeyError), collector_paused(), collector_paused():
            raise KeyError
        assert gc.isenabled() == was_on
    finally:
        gc.enable()


def chain() -> Program:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 4)
    for _ in range(20):
        x = b.op("relu", {"X": b.conv(x, 4)}, shape=(-1, 4, 8, 8))
    b.op("fetch", {"X": b.op("softmax", {"X": x}, shape=(-1, 4, 8, 8))}, {"Out": "fetch"})
    return b.build()


@pytest.mark.parametrize(
    "analyse",
    [
        graphprobe.list_variables,
        graphprobe.find_prunable,
        lambda program: graphprobe.find_prunable(program, policy="coupled").to_dict(),
        lambda program: graphprobe.find_pairs(program, program),
        lambda program: graphprobe.draw(program).render("svg"),
        graphprobe.report,
    ],
)
def test_an_analysis_is_not_interrupted(analyse: Callable[[Program], object]) -> None:
    analyse(chain())  # imports what it needs
    program = chain()
    with passes() as seen:
        analyse(program)
    # What begins and ends a call makes few objects; an analysis makes thousands.
    assert len(seen) <= 3
