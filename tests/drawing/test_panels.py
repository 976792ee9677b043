"""Stages in detail and tables: equal blocks once, nothing lost, full pages."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest

from graphprobe.drawing import make_drawing
from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.folding.repeats import fold_repeats
from graphprobe.drawing.layout.boxes import MIN_TEXT, SMALL
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.drawing.pages.book import make_book
from graphprobe.drawing.pages.panels import panel_pages
from graphprobe.drawing.pages.sheet import Page
from graphprobe.drawing.pages.tables import table_pages
from graphprobe.ir import Pair, Program
from graphprobe.ir.builder import Builder
from graphprobe.programs import load_program


def tower(times: int, filters: tuple[int, ...] = (8,)) -> Program:
    """Convolutions in a row, the filters in turns, then a classifier."""
    b = Builder()
    x = b.feed("image", (-1, 8, 16, 16))
    for at in range(times * len(filters)):
        count = filters[at % len(filters)]
        x = b.conv(x, count, k=3, name=f"conv{at}")
        x = b.op("relu", {"X": x}, shape=(-1, count, 16, 16))
    x = b.conv(x, 3, k=1, name="last")
    return b.build([x])


def folded(program: Program) -> LayoutGraph:
    """The units of a whole program, equal blocks once."""
    side = make_drawing(program).sides[0]
    view = side.view("unit")
    block_of = side.fold.levels["block"].node_of
    outside = [False] * len(view.dag)
    return fold_repeats(view, [block_of[items[0]] for items in view.items], outside, outside)


def test_a_tower_is_drawn_once_with_its_number() -> None:
    view = folded(tower(6))
    words = {words.title: words.lines for words in view.words}
    assert "× 6  conv 3×3 →8 · relu" in words
    assert words["× 6  conv 3×3 →8 · relu"][0] == "conv0.w_0 … conv5.w_0"
    assert len(view.dag) == len(make_drawing(tower(1)).sides[0].view("unit").dag)


def test_a_period_of_two_repeats() -> None:
    view = folded(tower(3, (8, 16)))
    assert [w.title for w in view.words if w.title.startswith("×")] == [
        "× 3  conv 3×3 →8 · relu",
        "× 3  conv 3×3 →16 · relu",
    ]


def test_residual_stacks_keep_their_shortcut(resnet: Program) -> None:
    view = folded(resnet)
    titles = [w.title for w in view.words]
    assert titles.count("× 3  add") == 2
    for node, title in enumerate(titles):
        if title == "× 3  add":
            assert len(view.dag.pred[node]) >= 2


def test_what_is_unequal_stays_apart() -> None:
    b = Builder()
    x = b.feed("image", (-1, 8, 16, 16))
    for at, count in enumerate((8, 9, 10, 11)):
        x = b.conv(x, count, k=3, name=f"conv{at}")
    view = folded(b.build([x]))
    assert not [w for w in view.words if w.title.startswith("×")]


def test_a_block_that_is_read_from_outside_ends_a_run() -> None:
    b = Builder()
    x = b.feed("image", (-1, 8, 16, 16))
    seen = []
    for at in range(6):
        x = b.op("relu", {"X": b.conv(x, 8, k=3, name=f"conv{at}")}, shape=(-1, 8, 16, 16))
        seen.append(x)
    view = folded(b.build([seen[2], x]))
    counts = [w.title.split()[1] for w in view.words if w.title.startswith("×")]
    assert counts == ["3", "3"]
    assert nx.is_directed_acyclic_graph(view.dag.to_networkx())


@pytest.mark.parametrize("times", [1, 2, 7])
def test_no_op_and_no_status_is_lost(times: int) -> None:
    program = tower(times, (8, 8, 16))
    view = folded(program)
    ops = sorted(op.id for ops in view.ops for op in ops)
    assert ops == [op.id for op in program.ops]


def pages_of(program: Program, **more: object) -> tuple[Drawing, list[Page]]:
    drawing = make_drawing(program, **more)  # type: ignore[arg-type]
    return drawing, make_book(drawing)


def test_every_convolution_and_parameter_stands_in_a_table(resnet: Program) -> None:
    drawing, _ = pages_of(resnet)
    text = " ".join(t.text for page in table_pages(drawing) for t in page.texts)
    for var in resnet.parameters:
        assert f" {var.name} " in f"{text} ", var.name


def test_pairs_stand_in_words_with_their_evidence(resnet: Program) -> None:
    out = next(op.output("Output") or "" for op in resnet.ops if op.type == "conv2d")
    pair = Pair(out, out, (1, 8), (1, 8), "head", "l2", 0.5, 0.9, "rule", ("equal shape",))
    drawing, _ = pages_of(resnet, teacher=resnet, pairs=[pair])
    text = [t.text for page in table_pages(drawing) for t in page.texts]
    assert "1 pairs of student and teacher" in text
    assert f"P1  {out} → {out}" in text
    assert "equal shape" in text


def test_tables_fill_their_pages() -> None:
    b = Builder()
    x = b.feed("image", (-1, 8, 16, 16))
    for at in range(400):
        x = b.conv(x, 8, k=1, name=f"layer_{at}")
    pages = table_pages(make_drawing(b.build([x])))
    assert len(pages) == 3  # 400 rows, 2 columns of 82
    assert all(text.y <= page.size[1] - 40 for page in pages for text in page.texts)


def test_panels_do_not_overlap_and_stay_on_the_sheet(resnet: Program) -> None:
    for page in panel_pages(make_drawing(resnet).sides[0]):
        spots = [
            (p.x, p.y, p.x + p.scene.width * p.scale, p.y + p.scene.height * p.scale)
            for p in page.placed
        ]
        for at, a in enumerate(spots):
            assert a[2] <= page.size[0]
            assert a[3] <= page.size[1] - 30
            for b in spots[:at]:
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


@pytest.mark.parametrize(
    ("name", "most"),
    [("picodet_s_320_coco_lcnet", 8), ("yolox_s_300e_coco", 10), ("pspnet_r50", 6),
     ("rtdetr_r18vd_6x_coco", 16)],
)  # fmt: skip
def test_exported_models_take_few_pages(shared_cases: Path, name: str, most: int) -> None:
    program = load_program(str(shared_cases / "exported" / f"{name}.pdmodel"))
    _, pages = pages_of(program)
    assert len(pages) <= most
    assert min(p.scale * SMALL for page in pages for p in page.placed) >= MIN_TEXT
    assert all(text.size >= MIN_TEXT for page in pages for text in page.texts)
