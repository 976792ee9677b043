"""Merging groups and filling rows: right by brute force, and n log n by the steps they count."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphprobe.drawing.dag import Dag, contract, from_successors, make_dag
from graphprobe.drawing.folding.dominators import ROOT, dominators
from graphprobe.drawing.folding.merging import Merging
from graphprobe.drawing.layout.layered import Rows

LIMIT = 8


def fan(n: int) -> Dag:
    """One value that n ops read; one op reads them all."""
    return make_dag(n + 2, [e for k in range(1, n + 1) for e in ((0, k), (k, n + 1))])


def wide(n: int) -> Dag:
    """One value that n ops read, each with an end of its own."""
    return make_dag(2 * n + 1, [e for k in range(1, n + 1) for e in ((0, k), (k, n + k))])


def chain(n: int) -> Dag:
    return make_dag(n, [(k, k + 1) for k in range(n - 1)])


def ladder(n: int) -> Dag:
    """Two chains with a rung at each step."""
    rungs = [(2 * k, 2 * k + 1) for k in range(n)]
    steps = [e for k in range(n - 1) for e in ((2 * k, 2 * k + 2), (2 * k + 1, 2 * k + 3))]
    return make_dag(2 * n, rungs + steps)


def comb(n: int) -> Dag:
    """A chain whose ends are both read by as many others."""
    teeth = [e for k in range(n) for e in ((0, n + k), (n - 1, n + k))]
    return make_dag(2 * n, [(k, k + 1) for k in range(n - 1)] + teeth)


def dense(n: int) -> Dag:
    """Blocks in which each op reads all before it, 16 a block."""
    edges = [(k, j) for k in range(n) for j in range(k + 1, min(n, (k // 16 + 1) * 16))]
    return make_dag(n, edges + [(k, k + 1) for k in range(n - 1)])


SHAPES = (fan, wide, chain, ladder, comb, dense)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_twice_the_program_takes_about_twice_the_steps(shape: Callable[[int], Dag]) -> None:
    steps = []
    for size in (1000, 2000):
        dag = shape(size)
        merging = Merging(dag, [1 + 4 * (n % 3) for n in range(len(dag))], lambda u, v: True)
        found = merging.run(LIMIT)
        assert len(set(found)) == LIMIT
        steps.append(merging.steps)
    assert steps[1] <= 2.5 * steps[0], steps


@st.composite
def dags(draw: st.DrawFn) -> Dag:
    size = draw(st.integers(1, 30))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    successors: list[list[int]] = [[] for _ in range(size)]
    for u, v in draw(st.lists(pairs, max_size=70)):
        if u != v:
            successors[min(u, v)].append(max(u, v))
    return from_successors(successors, list(range(size)))[0]


@settings(max_examples=200, deadline=None)
@given(dags(), st.data())
def test_groups_are_connected_and_make_no_cycle(dag: Dag, data: st.DataObject) -> None:
    sealed = set(data.draw(st.lists(st.sampled_from(sorted(dag.edges) or [(0, 0)]), max_size=10)))
    limit = data.draw(st.integers(1, 8))
    weight = [data.draw(st.integers(1, 9)) for _ in range(len(dag))]
    group = Merging(dag, weight, lambda u, v: (u, v) not in sealed).run(limit)
    quotient, members = contract(dag, group)  # raises where the groups make a cycle
    assert nx.is_directed_acyclic_graph(quotient.to_networkx())
    for part in members:
        assert nx.is_weakly_connected(dag.to_networkx().subgraph(part))
    assert all(group[u] != group[v] for u, v in sealed if u != v)
    if len(members) > limit:  # then no edge of the quotient could go
        order = list(nx.topological_sort(quotient.to_networkx()))
        assert len(order) == len(members)
        alone = [
            (u, v)
            for u, v in quotient.edges
            if len(quotient.succ[u]) == 1 or len(quotient.pred[v]) == 1
        ]
        homes = {n: at for at, part in enumerate(members) for n in part}
        kept = {(homes[u], homes[v]) for u, v in sealed}
        assert set(alone) <= kept


@settings(max_examples=100, deadline=None)
@given(dags())
def test_dominators_are_those_of_networkx(dag: Dag) -> None:
    rooted = dag.to_networkx()
    rooted.add_edges_from((ROOT, n) for n in range(len(dag)) if not dag.pred[n])
    expected = nx.immediate_dominators(rooted, ROOT)
    found = dominators(dag, [False] * len(dag))
    assert found == [expected[n] for n in range(len(dag))]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from([20.0, 60.0, 110.0])), max_size=40))
def test_the_first_row_with_room_is_taken(boxes: list[tuple[int, float]]) -> None:
    most, gap = 200.0, 10.0
    rows, load = Rows(most), [0.0] * 100
    for at, wide in boxes:
        first = next(r for r in range(at, 100) if not load[r] or load[r] + wide <= most)
        load[first] += wide + gap
        assert rows.put(at, wide, gap, 0.0) == first
