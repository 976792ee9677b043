"""networkx graphs, GraphML, DOT, and layouts by the dot program."""

from __future__ import annotations

import json
import re
import stat
from io import BytesIO
from pathlib import Path

import networkx as nx
import pytest

from graphprobe.drawing import bipartite_graph, make_drawing, op_graph, render
from graphprobe.drawing.dag import make_dag
from graphprobe.drawing.layout.dot_engine import dot_layout
from graphprobe.errors import GraphprobeError, UsageError
from graphprobe.ir import Pair, Program
from graphprobe.ir.builder import Builder

HOSTILE = 'a"]; evil [label="<b>\\N&\x00\ud800'


def paired(program: Program) -> tuple[Program, list[Pair]]:
    out = next(op.output("Output") or "" for op in program.ops if op.type == "conv2d")
    return program, [Pair(out, out, (), (), "head", "l2", 0.5, 1.0, "rule")]


def hostile() -> Program:
    b = Builder()
    b.var(HOSTILE, (-1, 3, 8, 8))
    b.op("relu", {"X": b.feed("image", (-1, 3, 8, 8))}, {"Out": HOSTILE})
    b.op(HOSTILE, {"X": HOSTILE}, {"Out": "end"})
    return b.build(["end"])


def test_the_op_graph_is_the_dataflow(resnet: Program) -> None:
    graph = op_graph(resnet)
    ops = [n for n, kind in graph.nodes(data="kind") if kind == "op"]
    assert len(ops) == len([op for op in resnet.ops if op.type not in ("feed", "fetch")])
    for op in resnet.ops:
        for name in op.input_names():
            for writer in resnet.ops[: op.id]:
                if name in writer.output_names():
                    assert name in graph.edges[f"op {writer.id}", f"op {op.id}"]["vars"]
    first = next(op for op in resnet.ops if op.type == "conv2d")
    assert graph.nodes[f"op {first.id}"]["shape"] == resnet.shape(first.output("Output"))
    assert nx.is_directed_acyclic_graph(graph)


def test_the_bipartite_graph_has_every_op_variable_and_slot(resnet: Program) -> None:
    graph = bipartite_graph(resnet)
    sides = nx.get_node_attributes(graph, "bipartite")
    assert all(sides[u] != sides[v] for u, v in graph.edges)
    assert nx.is_bipartite(graph)
    assert sum(side == 0 for side in sides.values()) == len(resnet.ops)
    names = {name for _, name in graph.nodes(data="name") if name}
    assert names == {n for op in resnet.ops for n in (*op.input_names(), *op.output_names())}
    conv = next(op for op in resnet.ops if op.type == "conv2d")
    node = f"op {conv.id}"
    assert graph.edges[f"var {conv.input('Filter')}", node]["slots"] == ("Filter",)
    assert graph.edges[node, f"var {conv.output('Output')} @ {conv.id}"]["slots"] == ("Output",)


def test_a_variable_written_twice_is_two_nodes() -> None:
    b = Builder()
    b.op("relu", {"X": b.feed("x", (1, 4))}, {"Out": "x"})
    b.op("tanh", {"X": "x"}, {"Out": "y"})
    program = b.build()
    writer = next(op.id for op in program.ops if op.type == "relu")
    graph = bipartite_graph(program)
    assert nx.is_directed_acyclic_graph(graph)
    assert graph.nodes[f"var x @ {writer}"]["name"] == "x"


def test_a_drawing_gives_both_programs_and_their_pairs(resnet: Program) -> None:
    program, pairs = paired(resnet)
    graph = make_drawing(program, program, pairs=pairs).to_networkx("unit")
    assert {role for _, role in graph.nodes(data="role")} == {"student", "teacher"}
    joined = [(u, v, a) for u, v, a in graph.edges(data=True) if a["kind"] == "pair"]
    assert [(u.split()[0], v.split()[0], a["weight"]) for u, v, a in joined] == [
        ("student", "teacher", 0.5)
    ]
    ops = [op for _, ids in graph.nodes(data="ops") for op in ids]
    assert sorted(ops) == sorted([op.id for op in resnet.ops] * 2)


@pytest.mark.parametrize("level", [None, "stage", "block", "unit", "op"])
def test_graphml_reads_back_as_the_same_graph(resnet: Program, level: str | None) -> None:
    program, pairs = paired(resnet)
    drawing = make_drawing(program, program, pairs=pairs, level=level)  # type: ignore[arg-type]
    content = render(drawing, "x.graphml")
    back = nx.read_graphml(BytesIO(content))
    graph = drawing.to_networkx(level or "op")  # type: ignore[arg-type]
    assert set(back.nodes) == set(graph.nodes)
    assert set(back.edges) == set(graph.edges)
    for node, attributes in graph.nodes(data=True):
        assert back.nodes[node]["title"] == attributes["title"]
        assert json.loads(back.nodes[node]["ops"]) == list(attributes["ops"])


def test_hostile_names_are_text_in_both_formats() -> None:
    drawing = make_drawing(hostile(), level="op")
    back = nx.read_graphml(BytesIO(render(drawing, "x.graphml")))
    assert any("evil" in title for _, title in back.nodes(data="title"))
    lines = render(drawing, "x.dot").decode().splitlines()
    nodes = [line for line in lines if re.match(r"\s*n\d+ \[", line)]
    assert len(nodes) == len(back)
    for line in nodes:  # one statement a line, whose quotes are balanced once escapes are gone
        assert re.sub(r"\\.", "", line).count('"') % 2 == 0
        assert "\x00" not in line


def test_dot_source_has_nodes_edges_and_pairs(resnet: Program) -> None:
    program, pairs = paired(resnet)
    drawing = make_drawing(program, program, pairs=pairs, level="block")
    text = render(drawing, "x.dot").decode()
    graph = drawing.to_networkx("block")
    assert text.count(" -> ") == graph.number_of_edges()
    assert text.count("subgraph cluster_") == 2
    assert "P1: l2 × 0.5" in text
    assert text == render(drawing, "x.dot").decode()


@pytest.mark.parametrize("name", ["x.dot", "x.graphml"])
def test_the_raw_level_is_no_folded_graph(resnet: Program, name: str) -> None:
    with pytest.raises(UsageError, match="level raw"):
        render(make_drawing(resnet, level="raw"), name)


def fake_dot(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program called dot in the only folder of the PATH."""
    path = folder / "dot"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))


def test_the_answer_of_dot_is_turned_upside_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What dot 2.43 answers for two boxes of 72 by 36 points."""
    answer = {
        "bb": "0,0,72,108",
        "objects": [{"_gvid": 0, "name": "1", "pos": "36,18"}, {"name": "0", "pos": "36,90"}],
        "edges": [{"tail": 1, "head": 0, "pos": "e,36,36.1 36,71.7 36,64 36,54.7 36,46.1"}],
    }
    fake_dot(tmp_path, monkeypatch, f"echo '{json.dumps(answer)}'")
    found = dot_layout(make_dag(2, [(0, 1)]), [(72.0, 36.0)] * 2, (12.0, 19.0))
    assert (found.width, found.height) == (72, 108)
    assert found.centres == [(36, 18), (36, 90)]
    line = found.lines[0, 1]
    assert line[0] == (36, pytest.approx(108 - 71.7))
    assert line[-1] == (36, pytest.approx(108 - 36.1))
    assert all(a[1] < b[1] for a, b in zip(line, line[1:], strict=False))


def chain(convs: int) -> Program:
    b = Builder()
    x = b.feed("image", (-1, 3, 64, 64))
    for _ in range(convs):
        x = b.conv(x, 8)
    return b.build([x])


@pytest.mark.parametrize("name", ["x.svg", "x.png", "x.pdf"])
@pytest.mark.parametrize("convs", [5, 50, 100])
def test_without_dot_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, convs: int, name: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GraphprobeError, match="install Graphviz"):
        render(make_drawing(chain(convs), engine="dot"), name)


def test_what_dot_says_when_it_fails_is_passed_on(
    resnet: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_dot(tmp_path, monkeypatch, "echo 'out of memory' >&2; exit 1")
    with pytest.raises(GraphprobeError, match="failed: out of memory"):
        render(make_drawing(resnet, engine="dot"), "x.svg")


def test_formats_that_lay_out_by_themselves_refuse_an_engine(resnet: Program) -> None:
    for name in ("x.html", "x.dot", "x.graphml"):
        with pytest.raises(UsageError, match=r"use \.pdf, \.png, \.svg"):
            render(make_drawing(resnet, engine="dot"), name)
