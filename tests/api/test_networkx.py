"""Programs and results as networkx graphs."""

from __future__ import annotations

import sys
from collections import Counter

import networkx as nx
import pytest

from graphprobe.api.draw import draw
from graphprobe.api.pairs import find_pairs
from graphprobe.api.prunable import find_prunable
from graphprobe.errors import MissingDependency, UsageError
from graphprobe.ir import Program
from graphprobe.programs import load


def test_a_loaded_program(small: Program) -> None:
    graph = load(small).to_networkx()
    assert nx.is_directed_acyclic_graph(graph)
    types = {op.type for op in small.ops}
    assert {t for _, t in graph.nodes(data="type")} >= types
    assert all(isinstance(names, tuple) for _, _, names in graph.edges(data="vars"))
    both = load(small).to_networkx(variables=True)
    ops = [node for node, side in both.nodes(data="bipartite") if side == 0]
    assert len(ops) == len(small.ops) and nx.is_bipartite(both)


def test_a_drawing_by_levels(small: Program) -> None:
    picture = draw(load(small))
    ops, stages = picture.to_networkx(), picture.to_networkx("stage")
    counted = [i for _, found in stages.nodes(data="ops") for i in found]
    assert len(stages) < len(ops)
    assert sorted(counted) == sorted(i for _, found in ops.nodes(data="ops") for i in found)


def test_pairs_join_two_programs(small: Program, big: Program) -> None:
    found = find_pairs(load(small), load(big))
    graph = found.to_networkx()
    joined = {
        (u, v): variables
        for u, v, variables in graph.edges(data="variables")
        if graph.edges[u, v]["kind"] == "pair"
    }
    assert sorted(joined.values()) == sorted((p.student, p.teacher) for p in found)
    assert all(u.startswith("student") and v.startswith("teacher") for u, v in joined)


def test_statuses_of_convolutions(small: Program) -> None:
    found = find_prunable(load(small), policy="coupled")
    graph = found.to_networkx()
    convolutions = [d["statuses"] for _, d in graph.nodes(data=True) if d["kind"] == "conv"]
    assert sum(map(Counter, convolutions), Counter()) == {"target": 2, "output": 2}
    assert len(convolutions) == len(found)


def test_what_is_no_graph_is_refused(small: Program) -> None:
    picture = draw(load(small))
    with pytest.raises(UsageError, match="level raw is no folded graph"):
        picture.to_networkx("raw")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="did you mean block"):
        picture.to_networkx("blok")  # type: ignore[arg-type]


def test_without_networkx(small: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(MissingDependency, match="pip install networkx"):
        load(small).to_networkx()
