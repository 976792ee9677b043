"""Whatever a result holds is short when a notebook or a debugger shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MethodType
from typing import Any

import pytest

import graphprobe
from graphprobe.ir import Program

MOST = 500
DEPTH = 5


def parts(value: Any, seen: dict[int, Any], depth: int = 0) -> Iterator[Any]:
    """What is reached from a value by public attributes, entries and items."""
    if id(value) in seen or depth > DEPTH:
        return
    seen[id(value)] = value
    if isinstance(value, Mapping):
        inside = list(value.values())[:100]
    elif isinstance(value, (list, tuple)):
        inside = list(value[:100])
    else:
        inside = []
    if type(value).__module__.startswith("graphprobe"):
        yield value
        names = [name for name in dir(value) if not name.startswith("_")]
        inside += [getattr(value, name) for name in names]
    for item in inside:
        if not isinstance(item, (type, MethodType)):
            yield from parts(item, seen, depth + 1)


@pytest.mark.paddle
def test_everything_in_the_results_of_yolov3() -> None:
    student = graphprobe.load("zoo:yolov3_mobilenet_v1")
    teacher = graphprobe.load("zoo:yolov3_r34")
    prunable = graphprobe.find_prunable(student, policy="coupled")
    pairs = graphprobe.find_pairs(student, teacher)
    results = (
        *(student, prunable, pairs),
        graphprobe.list_variables(student, teacher=teacher),
        graphprobe.draw(student, teacher=teacher, pairs=pairs, prune=prunable),
        graphprobe.report(student),
        graphprobe.list_names("ops"),
        graphprobe.diagnose(),
    )
    found: dict[str, int] = {}
    seen: dict[int, Any] = {}
    for value in (part for result in results for part in parts(result, seen)):
        name = type(value).__name__
        found[name] = max(found.get(name, 0), len(repr(value)))
    assert {"PrunePlan", "Program", "Drawing", "PairReport", "PruneFindings"} <= found.keys()
    assert {name: length for name, length in found.items() if length >= MOST} == {}


def test_every_public_type_of_result_has_a_text_of_its_own() -> None:
    """The text that a dataclass makes is as long as its fields."""
    types = [getattr(graphprobe, name) for name in graphprobe.__all__]
    results = [t for t in types if isinstance(t, type) and dataclasses.is_dataclass(t)]
    assert len(results) > 15
    own = {t.__name__ for t in results if not t.__dataclass_params__.repr}  # type: ignore[attr-defined]
    assert {t.__name__ for t in results} - own == {"Model"}  # made by the user, not a result


def test_what_a_notebook_shows_of_a_program_and_a_run(small: Program) -> None:
    loaded = graphprobe.load(small)
    page = loaded._repr_html_()
    assert page.startswith("<p>small</p><table>")
    assert f"<td>fingerprint</td><td>{loaded.fingerprint}</td>" in page
    run = graphprobe.RunInfo(Path("runs/<x>"), "alone", "done", 3, metric="mAP", value=0.5)
    page = run._repr_html_()
    assert page.startswith("<p>runs/&lt;x&gt;</p>")
    assert "<td>value</td><td>0.5</td>" in page
    assert "teacher" not in page and "program" not in page


def test_findings_of_an_image_are_plain_data() -> None:
    found = graphprobe.ImageFindings("a.jpg", "2 boxes")
    assert found.to_dict() == {"name": "a.jpg", "text": "2 boxes", "skipped": False}
