"""The pages of a PDF: the wall, the stages in detail, tables; or one level, or one focus."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.drawing.drawing import Drawing, Side
from graphprobe.drawing.layout.layout_graph import LayoutGraph, part
from graphprobe.drawing.pages.panels import panel_pages
from graphprobe.drawing.pages.sheet import Page, many_pages, one_page
from graphprobe.drawing.pages.tables import table_pages
from graphprobe.drawing.pages.wall import make_wall

MAX_NODES = 4000


def make_book(drawing: Drawing) -> list[Page]:
    """All pages of a drawing.

    Without a level: everything by stages on one sheet; for each program its stages in detail;
    then tables of pairs, convolutions and parameters. With a level or a focus: only that.
    """
    if drawing.level is not None or drawing.focus is not None:
        pages = [p for side, view in drawing.views("unit") for p in view_pages(view, side)]
        for page in pages:
            page.colour_bar = drawing.sides[0].overlay.bar(drawing.level or "unit")
        return pages
    pages = list(_first_page(drawing))
    for side in drawing.sides:
        pages += panel_pages(side)
    return [*pages, *table_pages(drawing)]


def _first_page(drawing: Drawing) -> Iterator[Page]:
    if all(side.fold.graph.items for side in drawing.sides):
        wall = make_wall(drawing)
        wall.bookmark = wall.heading
        yield wall
        return
    for side in drawing.sides:
        for view in side.views("stage"):
            yield from view_pages(view, side)


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
    shown.notes = [f"{left}; take level stage, or a focus", *view.notes]
    return shown
