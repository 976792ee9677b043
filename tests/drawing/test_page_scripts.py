"""The scripts of the HTML page: their unit tests, their types, and how they become one script."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graphprobe.drawing import Marks, make_drawing
from graphprobe.drawing.diff.drawing import make_diff
from graphprobe.drawing.pages.html_data import PageData
from graphprobe.drawing.renderers.html import asset, modules, script
from graphprobe.ir import Pair, Program, PruneDecision, Site
from graphprobe.ir.builder import Builder

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "graphprobe" / "drawing" / "web"
SCRIPTS = sorted(path.name for path in WEB.glob("*.js"))
NOT_HERE = 3


def javascript(*words: str | Path) -> None:
    """Run tools/javascript.py; the test skips where Deno is not there."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "javascript.py"), *map(str, words)],
        capture_output=True,
        text=True,
    )
    if done.returncode == NOT_HERE:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_unit_tests_of_the_scripts_pass() -> None:
    javascript("test")


def drawings(program: Program) -> Iterator[Any]:
    """Drawings that use all that a page can say."""
    convs = [op for op in program.ops if op.type == "conv2d"]
    names = [op.output("Output") or "" for op in convs]
    params = [op.input("Filter") or "" for op in convs]
    decisions = {
        params[1]: PruneDecision(
            params[1], convs[1].id, "conv2d", (8, 8, 3, 3), 1, "blocked", "concat",
            Site(3, "concat"), tuple(names[1:4]), detail="its channels meet a concat",
        ),
        params[2]: PruneDecision(
            params[2], convs[2].id, "conv2d", (8, 8, 3, 3), 1, "prunable", None, None, (),
        ),
    }  # fmt: skip
    pairs = [
        Pair(names[4], names[4], (8,), (8,), "feature, stride 2", "l2", 1.0, 1.0, "rule", ("why",)),
        Pair(names[5], "gone", (8,), (8,), "head", "l2", 1.0, 1.0, "rule", (), part="class"),
    ]
    yield make_drawing(program, program, marks=Marks(decisions), pairs=pairs, level="stage")
    yield make_drawing(program, colour_by="flops")
    softmax = [op.id for op in program.ops if op.type == "softmax"]
    block = program.blocks[0]
    kept = tuple(op for op in block.ops if op.id not in softmax)
    yield make_diff(program, replace(program, blocks=(replace(block, ops=kept),), fetches=()))
    b = Builder()
    x = b.feed("image", (-1, 3, 8, 8))
    for _ in range(100):
        x = b.op(
            "an_operator_with_a_name_that_no_box_has_room_for" * 2, {"X": x}, shape=(-1, 3, 8, 8)
        )
    yield make_drawing(b.build(), level="stage")
    yield make_drawing(Builder().build())


def test_documents_have_the_type_that_the_scripts_take(resnet: Program, tmp_path: Path) -> None:
    files = []
    for number, drawing in enumerate(drawings(resnet)):
        document = json.dumps(PageData(drawing).document())
        file = tmp_path / f"document{number}.ts"
        file.write_text(
            f"import type {{ PageDocument }} from {(WEB / 'types.d.ts').as_uri()!r};\n"
            f"export const page: PageDocument = {document};\n"
        )
        files.append(file)
    javascript("types", *files)


def declared(interface: str) -> dict[str, bool]:
    """The keys of an interface in types.d.ts, and whether each may be left out."""
    text = asset("types.d.ts")
    found = re.search(rf"interface {interface}\b[^{{]*\{{\n(.*?)\n\}}", text, re.S)
    assert found is not None, interface
    return {key: bool(mark) for key, mark in re.findall(r"^  (\w+)(\??):", found[1], re.M)}


def test_every_declared_key_is_written_and_every_written_key_declared(resnet: Program) -> None:
    documents = [PageData(drawing).document() for drawing in drawings(resnet)]

    def all_of(key: str) -> list[dict[str, Any]]:
        return [entry for document in documents for entry in document[key]]

    nodes = [node for group in all_of("groups") for node in group["nodes"]]
    convs = [conv for side in all_of("sides") for conv in side["convs"].values()]
    assert convs
    for entries, always, sometimes in (
        (documents, declared("DocumentBase") | declared("PageDocument"), {}),
        (all_of("sides"), declared("SideBase"), {}),
        (all_of("groups"), declared("GroupBase"), {}),
        (nodes, declared("NodeBase"), declared("NodeMore")),
        (all_of("ops"), declared("OpData"), {}),
        (all_of("pairs"), declared("Pair"), {}),
        (convs, declared("Decision"), {}),
    ):
        written = Counter(key for entry in entries for key in entry)
        assert written.keys() == always.keys() | sometimes.keys()
        needed = {key for key, optional in always.items() if not optional}
        assert {key for key in needed if written[key] != len(entries)} == set()


def code_of(name: str) -> list[str]:
    """The lines of a module that do something, read line by line."""
    found, inside = [], ""
    for line in asset(name).splitlines():
        words = line.strip()
        if not inside and words.startswith("import "):
            inside = ";"
        elif not inside and words.startswith("/**") and (words.endswith("*/") or "*/" not in words):
            inside = "*/"
        if inside:
            inside = "" if words.endswith(inside) else inside
        elif words and not words.startswith("//"):
            found.append(line.removeprefix("export "))
    return found


@pytest.mark.parametrize("name", ["main.js", "report.js"])
def test_a_script_has_all_code_and_no_comments(name: str) -> None:
    wanted = [line for module in modules(name) for line in code_of(module)]
    assert len(wanted) > 5
    assert script(name).splitlines() == ['"use strict";', *wanted]
    for line in wanted:
        assert not re.match(r"\s*(//|/\*\*? *$|\* |import |export )", line)
        assert line.count("`") % 2 == 0, "a string over several lines might look like a comment"


def test_each_module_stands_once_after_what_it_imports() -> None:
    order = modules("main.js")
    assert sorted([*order, "report.js"]) == SCRIPTS
    for at, name in enumerate(order):
        needed = re.findall(r'from "\./([^"]+)";', asset(name))
        assert set(needed) <= set(order[:at])
        assert asset(name).count("\nimport ") + asset(name).startswith("import ") == len(needed)


def test_no_name_is_declared_in_two_modules() -> None:
    declaration = r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)"
    names = Counter(n for module in SCRIPTS for n in re.findall(declaration, asset(module), re.M))
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) > 80


@pytest.mark.parametrize("name", [*SCRIPTS, "types.d.ts"])
def test_types_are_said_and_checks_are_not_switched_off(name: str) -> None:
    for way_out in (
        r"\bany\b[\]}>;,|]",
        r"\{\*\}",
        "@ts-",
        "deno-lint-ignore",
        "innerHTML",
        r"\beval\(",
    ):
        assert not re.search(way_out, asset(name)), way_out
