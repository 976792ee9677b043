"""The pages of a PDF: the whole model, the pairs, the blocks, one page a stage, the parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphprobe.drawing.drawing import Drawing, Side
from graphprobe.drawing.labels import Words, convolutions, shape_text
from graphprobe.drawing.layout.layout_graph import LayoutGraph, part
from graphprobe.drawing.layout.scene import MIN_TEXT
from graphprobe.drawing.marks import COLOURS, PAIR, status
from graphprobe.drawing.pages.sheet import (
    A4,
    FOOT,
    HEAD,
    LEAST_SCALE,
    MARGIN,
    Page,
    Text,
    many_pages,
    one_page,
)
from graphprobe.drawing.pages.wall import make_wall
from graphprobe.drawing.text import shorten
from graphprobe.ir import Pair

MAX_NODES = 4000
_MAX_BLOCKS = 1500  # a book with more blocks than this leaves their pages out
_MAX_DETAIL = 3000  # nodes on all stage pages of a program together
_STEP = 8.6
_ROW = MIN_TEXT + 0.3
_MAX_INDEX = 3000
_INDENT = 10.0


def make_book(drawing: Drawing) -> list[Page]:
    """All pages of a drawing.

    Without a level: everything by stages on one sheet, the pairs in words, and for each program
    the blocks on as many pages as it takes, a page for each stage, then the parameters. With one:
    only that level.
    """
    if drawing.level is not None or drawing.focus is not None:
        return [p for side, view in drawing.views("unit") for p in view_pages(view, side)]
    pages = list(_first_pages(drawing))
    for side in drawing.sides:
        pages += _details(side)
    return pages


def _first_pages(drawing: Drawing) -> Iterator[Page]:
    """Everything on one sheet by stages, then the pairs in words."""
    if all(side.fold.graph.items for side in drawing.sides):
        wall = make_wall(drawing)
        wall.bookmark = wall.heading
        yield wall
    else:
        for side in drawing.sides:
            for view in side.views("stage"):
                yield from view_pages(view, side)
    heading = f"{len(drawing.pairs)} pairs of student and teacher"
    if drawing.pairs:
        yield from _listed(heading, list(_pair_rows(drawing.pairs)), 1, [])


def _pair_rows(pairs: Sequence[Pair]) -> Iterator[tuple[float, str, str]]:
    for number, p in enumerate(pairs, 1):
        part_ = f", {p.part}" if p.part else ""
        yield 0.0, f"P{number}  {p.student} → {p.teacher}", PAIR
        yield (
            _INDENT,
            f"{p.role}{part_} · loss {p.loss} × {p.weight:g} · {shape_text(p.student_shape)} and "
            f"{shape_text(p.teacher_shape)} · rule {p.rule}, score {p.score:g}",
            "#202124",
        )
        for reason in p.evidence:
            yield _INDENT, reason, "#5f6368"


def view_pages(view: LayoutGraph, side: Side, depth: int = 0) -> list[Page]:
    """A view on as few pages as it takes, all text at least `MIN_TEXT` points high."""
    if len(view.dag) > MAX_NODES:
        view = limited(view, MAX_NODES)
    page = one_page([view])
    pages = [page] if page is not None else many_pages(view)
    for at, sheet in enumerate(pages):
        of = f" ({at + 1} of {len(pages)})" if len(pages) > 1 else ""
        sheet.heading = view.title + of
        sheet.bookmark, sheet.depth = ("" if at else view.title), depth
        sheet.notes = [*view.notes, side.counts()]
    return pages


def limited(view: LayoutGraph, most: int) -> LayoutGraph:
    """The first nodes of a view, with a note of how many are left out."""
    shown = part(view, range(most), view.title)
    left = f"left out: {len(view.dag) - most:,} of {len(view.dag):,} nodes"
    shown.notes = [f"{left}; take --level stage or --focus", *view.notes]
    return shown


def _details(side: Side) -> Iterator[Page]:
    blocks, stages = side.view("block"), side.view("stage")
    if len(blocks.dag) > _MAX_BLOCKS:
        page = Page(A4, blocks.title, blocks.title, 1)
        page.notes = [f"left out: {len(blocks.dag):,} blocks; take --level block or --focus"]
        yield page
    elif len(blocks.dag) > len(stages.dag):
        yield from view_pages(blocks, side, depth=1)
    yield from _stage_pages(side, stages)
    yield from _index(side)


def _stage_pages(side: Side, stages: LayoutGraph) -> Iterator[Page]:
    units = side.view("unit")
    node_of = side.fold.levels["unit"].node_of
    stage_of = [side.fold.levels["stage"].node_of[items[0]] for items in units.items]
    wanted = [n for n, items in enumerate(stages.items) if len({node_of[i] for i in items}) > 1]
    share = max(60, _MAX_DETAIL // max(1, len(wanted)))
    for stage in wanted:
        inside = sorted({node_of[item] for item in stages.items[stage]})
        left = len(inside) - share
        inside = inside[:share]
        numbers = [f"{stage + 1}.{k + 1}" for k in range(len(inside))]
        title = f"{side.role} stage {stage + 1}: {stages.words[stage].title}".strip()
        view = part(units, inside, title, numbers)
        _name_ports(view, units, inside, stages, stage_of)
        if left > 0:
            view.notes.append(f"left out: {left:,} of {left + share:,} units; take --focus")
        pages = view_pages(view, side, depth=1)
        drawn = [item for unit in inside for item in units.items[unit]]
        yield from _with_rows(pages, list(_stage_rows(side, drawn)))


def _name_ports(
    view: LayoutGraph,
    units: LayoutGraph,
    inside: Sequence[int],
    stages: LayoutGraph,
    stage_of: Sequence[int],
) -> None:
    """Ports of a stage's page are called by their stage."""
    before = sorted({u for v in inside for u in units.dag.pred[v]} - set(inside))
    for at, words in enumerate(view.words):
        if words.kind != "port":
            continue
        unit = before[at] if at < len(before) else int(view.numbers[at]) - 1
        view.numbers[at] = str(stage_of[unit] + 1)
        view.words[at] = Words(f"stage: {stages.words[stage_of[unit]].title}", (), (), "port")


def _stage_rows(side: Side, items: Sequence[int]) -> Iterator[tuple[float, str, str]]:
    """Every convolution of a stage with its status and reason."""
    known = side.marks.decisions or side.marks.targets
    for op in convolutions(side.fold, items):
        param = op.input("Filter") or ""
        shape = shape_text(side.program.shape(param, op.block))
        word = status(side.marks, param)
        decision = side.marks.decisions.get(param)
        why = f" · {decision.detail}" if decision is not None and decision.detail else ""
        text = f"■ {param} {shape} · {word}{why}" if known else f"{param} {shape}"
        yield 0.0, text, COLOURS[word] if known else "#202124"


def _with_rows(pages: list[Page], rows: list[tuple[float, str, str]]) -> Iterator[Page]:
    """The pages with rows of text under the last drawing, and on further pages if need be."""
    yield from pages[:-1]
    last = pages[-1]
    top = last.bottom + 22
    lines = max(0, int((last.size[1] - MARGIN - FOOT - top) / _STEP))
    _write(last, rows[:lines], top, last.size[0] - 2 * MARGIN)
    yield last
    yield from _listed(last.heading, rows[lines:], 1, last.notes, bookmark=False)


def _write(
    page: Page, rows: Sequence[tuple[float, str, str]], top: float, wide: float, x: float = MARGIN
) -> None:
    for at, (indent, text, colour) in enumerate(rows):
        shown = shorten(text, _ROW, wide - indent)
        page.texts.append(Text(x + indent, top + _STEP * at, shown, _ROW, False, colour))


def _listed(
    heading: str,
    rows: Sequence[tuple[float, str, str]],
    columns: int,
    notes: list[str],
    *,
    bookmark: bool = True,
) -> Iterator[Page]:
    """Rows of text on as many pages as they take."""
    lines = int((A4[1] - 2 * MARGIN - HEAD - FOOT) / _STEP)
    step = (A4[0] - 2 * MARGIN) / columns
    for start in range(0, len(rows), columns * lines):
        page = Page(A4, heading, heading if bookmark and start == 0 else "", 1, notes=notes)
        for column in range(columns):
            first = start + column * lines
            x = MARGIN + step * column
            _write(page, rows[first : first + lines], MARGIN + HEAD + _STEP, step - 8, x)
        yield page


def _index(side: Side) -> Iterator[Page]:
    """Every parameter by name, so that a search in the file finds its stage."""
    node_of = side.fold.levels["stage"].node_of
    stage: dict[str, int] = {}
    for at, item in enumerate(side.fold.graph.items):
        for name in item.op.input_names() if item.op is not None else ():
            stage.setdefault(name, node_of[at] + 1)
    found = sorted(
        ((stage.get(v.name, 0), v.name, v.shape) for v in side.program.parameters),
        key=lambda entry: entry[:2],
    )
    rows = [
        (0.0, f"{number}  {name} {shape_text(shape)}", "#202124") for number, name, shape in found
    ]
    notes = ["each with the number of its stage", side.counts()]
    if len(rows) > _MAX_INDEX:
        notes.insert(0, f"left out: {len(rows) - _MAX_INDEX:,} of {len(rows):,} parameters")
    yield from _listed(f"{side.role} parameters".strip(), rows[:_MAX_INDEX], 3, notes)


__all__ = ["LEAST_SCALE", "MAX_NODES", "limited", "make_book", "view_pages"]
