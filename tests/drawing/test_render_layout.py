"""Layouts: nothing overlaps, every edge goes down, sizes are kept."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from graphprobe.drawing.dag import Dag, from_successors
from graphprobe.drawing.layout.columns import fit
from graphprobe.drawing.layout.layered import layered
from graphprobe.drawing.text import clean, runs, shorten, width

GAP = 10.0


@st.composite
def dags(draw: st.DrawFn) -> Dag:
    size = draw(st.integers(0, 30))
    pair = st.tuples(st.integers(0, max(0, size - 1)), st.integers(0, max(0, size - 1)))
    successors: list[list[int]] = [[] for _ in range(size)]
    for u, v in draw(st.lists(pair, max_size=60)) if size else []:
        successors[min(u, v)].append(max(u, v))
    return from_successors(successors, list(range(size)))[0]


@settings(max_examples=150, deadline=None)
@given(dags(), st.data(), st.booleans(), st.sampled_from([1, 3, 30]))
def test_boxes_do_not_overlap_and_edges_go_down(
    dag: Dag, data: st.DataObject, strict: bool, span: int
) -> None:
    widths = [data.draw(st.sampled_from([20.0, 60.0, 150.0])) for _ in range(len(dag))]
    layout = layered(dag, widths, GAP, 300.0, span, strict=strict)
    grid = layout.grid
    placed = [n for row in grid.layers for n in row if n < len(dag)]
    assert sorted(placed) == list(range(len(dag)))
    for row in grid.layers:
        boxes = [n for n in row if n < len(dag)]
        for left, right in zip(boxes, boxes[1:], strict=False):
            space = (widths[left] + widths[right]) / 2 + GAP
            assert layout.x[right] - layout.x[left] >= space - 0.01
    edges = {(u, v) for u in range(len(dag)) for v in dag.succ[u]}
    assert edges == set(grid.routes) | set(grid.long)
    for (u, v), points in grid.routes.items():
        rows = [grid.row_of[n] for n in (u, *points, v)]
        assert rows == list(range(rows[0], rows[0] + len(rows)))
    assert all(grid.row_of[u] < grid.row_of[v] for u, v in grid.long)
    for n in range(len(dag)):
        assert layout.x[n] - widths[n] / 2 >= -0.01
        assert layout.x[n] + widths[n] / 2 <= layout.width + 0.01


def test_layers_keep_to_the_width() -> None:
    star = from_successors([[*range(1, 41)], *([] for _ in range(40))], list(range(41)))[0]
    layout = layered(star, [100.0] * 41, GAP, 500.0, 2, strict=True)
    assert all(len([n for n in row if n < 41]) <= 5 for row in layout.grid.layers)
    assert len(layout.grid.long) > 20, "edges over more than two layers get no way points"


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), max_size=12), st.floats(0, 20))
def test_fit_is_feasible_and_leaves_feasible_wishes_alone(wanted: list[float], gap: float) -> None:
    room, weight = [gap] * len(wanted), [1.0] * len(wanted)
    found = fit(wanted, room, weight)
    assert all(b - a >= gap - 1e-6 for a, b in zip(found, found[1:], strict=False))
    again = fit(found, room, weight)
    assert all(abs(a - b) < 1e-6 for a, b in zip(found, again, strict=True))
    if found:
        assert abs(sum(found) - sum(wanted)) < 1e-6, "equal weights keep the mean"


def test_cycles_are_dropped_and_counted() -> None:
    dag, order, dropped = from_successors([[1], [2], [0], [3]], ["a", "b", "c", "d"])
    assert (order, dropped) == ([3, 0, 1, 2], 2)
    assert dag.succ == [[], [2], [3], []]


@settings(deadline=None)
@given(st.text(max_size=300), st.floats(10, 200))
def test_shortened_text_fits(text: str, room: float) -> None:
    found = shorten(text, 7.0, room)
    assert width(found, 7.0) <= room or found == "…"
    assert "\n" not in found


def test_text_is_set_in_fonts_that_have_it() -> None:
    assert list(runs("a→特龘")) == [("regular", "a→"), ("cjk", "特"), ("songti", "龘")]
    assert list(runs("😀")) == [("regular", "\ufffd")]
    assert clean("a\nb\udc80") == "a\\u000ab\\udc80"
    assert shorten("conv2d_12345.tmp_0", 7.0, 50.0).startswith("conv")
