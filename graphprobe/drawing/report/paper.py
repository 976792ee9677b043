"""A report on paper: what a reader should know, tables and curves on A4, then the drawing."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from graphprobe.drawing import palette
from graphprobe.drawing.pages.curves import CurveSheet, paint_curves
from graphprobe.drawing.pages.sheet import A4, FOOT, MARGIN
from graphprobe.drawing.pages.wall import make_wall
from graphprobe.drawing.paint import paint_page
from graphprobe.drawing.renderers.pdf import PdfBrush, face
from graphprobe.drawing.report.document import Document, ImagePair, Section, Table
from graphprobe.drawing.text import runs, width
from graphprobe.version import __version__

# Rows of a table on paper; the page has all of them.
MOST_ROWS = 40
_SMALL, _TEXT, _LARGE = 7.0, 10.0, 15.0
_ROOM = A4[0] - 2 * MARGIN
_LEAST = 26.0  # the narrowest column
_CELL = 6.0  # between two columns


def render_paper(document: Document) -> bytes:
    """The report as a PDF file: equal reports are equal files."""
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    class Open(Canvas):  # type: ignore[misc]
        """A canvas that the text leaves open for the drawing."""

        def save(self) -> None:
            pass

    buffer = io.BytesIO()
    paper = BaseDocTemplate(
        buffer, pagesize=A4, invariant=1, pageCompression=1, title=document.title,
        author="graphprobe", creator=f"graphprobe {__version__}",
    )  # fmt: skip
    frame = Frame(MARGIN, MARGIN + FOOT, _ROOM, A4[1] - 2 * MARGIN - FOOT, 0, 0, 0, 0)
    paper.addPageTemplates([PageTemplate(frames=[frame], onPage=_foot)])
    paper.build(list(_story(document)), canvasmaker=Open)
    canvas = paper.canv
    if all(side.fold.graph.items for side in document.drawing.sides):
        wall = make_wall(document.drawing)
        canvas.setPageSize(wall.size)
        canvas.bookmarkPage("drawing")
        canvas.addOutlineEntry("Drawing", "drawing", level=0)
        number = f"page {canvas.getPageNumber()}"
        paint_page(PdfBrush(canvas, wall.size[1]), wall, document.title, number)
        canvas.showPage()
    Canvas.save(canvas)
    return buffer.getvalue()


def _foot(canvas: Any, _: Any) -> None:
    text = f"page {canvas.getPageNumber()}"
    brush = PdfBrush(canvas, A4[1])
    brush.text(A4[0] - MARGIN - width(text, _SMALL), A4[1] - MARGIN, text, _SMALL, palette.FAINT)


def _story(document: Document) -> Iterator[Any]:
    from reportlab.platypus import Spacer

    yield _Bookmark(document.title, "top")
    yield _paragraph(document.title, _LARGE, bold=True)
    yield Spacer(0, 8)
    yield from _figures(document.figures)
    for sentence in document.summary:
        yield _paragraph(sentence, _TEXT)
        yield Spacer(0, 3)
    for message in document.messages:
        yield _paragraph(f"! {message}", _TEXT)
    for section in (*document.sections, *document.behind):
        if section.text or section.chips or section.curves or section.images or _on_paper(section):
            yield from _section(section)


def _on_paper(section: Section) -> list[Table]:
    return [table for table in section.tables if not table.long and table.rows]


def _section(section: Section) -> Iterator[Any]:
    from reportlab.platypus import CondPageBreak, Spacer

    yield CondPageBreak(90)
    yield Spacer(0, 14)
    yield _Bookmark(section.title, section.key)
    yield _paragraph(section.title, 12.5, bold=True)
    yield Spacer(0, 4)
    for sentence in section.text:
        yield _paragraph(sentence, _TEXT)
        yield Spacer(0, 3)
    for colour, words in section.chips:
        yield _paragraph(words, _TEXT - 1, square=colour)
    for table in _on_paper(section):
        yield from _table(table)
    if section.curves is not None:
        yield _Curves(section.curves)
    for pair in section.images:
        yield _images(pair)


def _figures(figures: Sequence[tuple[str, str]]) -> Iterator[Any]:
    """The few figures that matter most, in boxes of one row."""
    from reportlab.platypus import Spacer, Table

    if not figures:
        return
    cells = [[_paragraph(value, 14, bold=True), _paragraph(what, 8)] for value, what in figures]
    grid = Table([cells], colWidths=[_ROOM / len(cells)] * len(cells))
    grid.setStyle([
        ("BOX", (at, 0), (at, 0), 0.6, "#dadce0") for at in range(len(cells))
    ] + [("VALIGN", (0, 0), (-1, -1), "TOP")])  # fmt: skip
    yield grid
    yield Spacer(0, 8)


def _table(table: Table) -> Iterator[Any]:
    from reportlab.platypus import LongTable, Spacer

    if table.title:
        yield _paragraph(table.title, _TEXT, bold=True)
    if table.note:
        yield _paragraph(table.note, _SMALL + 1, colour=palette.FAINT)
    rows = table.rows[:MOST_ROWS]
    # A column without a word in it takes no room.
    used = [at for at in range(len(table.head)) if any(row[at] for row in rows)]
    head = [_paragraph(table.head[at], _SMALL, colour=palette.FAINT) for at in used]
    body = [
        [
            _paragraph(row[at], _SMALL, square=table.colour(n) if at == table.square else "")
            for at in used
        ]
        for n, row in enumerate(rows)
    ]
    widths = _widths([[row[at] for at in used] for row in (table.head, *rows)])
    made = LongTable([head, *body], colWidths=widths, repeatRows=1, hAlign="LEFT")
    made.setStyle([
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, "#e3e6ea"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), _CELL),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ])  # fmt: skip
    yield made
    if len(table.rows) > len(rows):
        left = f"{len(table.rows) - len(rows):,} more rows are in the HTML report."
        yield _paragraph(left, _SMALL + 1, colour=palette.FAINT)
    yield Spacer(0, 6)


def _widths(rows: Sequence[Sequence[str]]) -> list[float]:
    """Widths of columns: as wide as their words where all fit, else the wide ones share."""
    wanted = [
        max(_LEAST, *(width(row[at][:400], _SMALL) + _CELL + 10 for row in rows))
        for at in range(len(rows[0]))
    ]
    limit = max(wanted)
    while sum(min(limit, want) for want in wanted) > _ROOM:
        limit *= 0.97
    return [min(limit, want) for want in wanted]


def _paragraph(
    text: str, size: float, *, bold: bool = False, colour: str = palette.INK, square: str = ""
) -> Any:
    """A paragraph in the shipped fonts; text is never markup."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    base = face("bold" if bold else "regular")
    style = ParagraphStyle(
        "graphprobe", fontName=base, fontSize=size, leading=size * 1.32, textColor=colour,
        splitLongWords=1,
    )  # fmt: skip
    mark = f'<font color="{square}">■</font> ' if square else ""
    parts = (
        f'<font name="{face(name)}">{escape(chars)}</font>' for name, chars in runs(text, bold)
    )
    return Paragraph(mark + "".join(parts), style)


def _images(pair: ImagePair) -> Any:
    from reportlab.lib.utils import ImageReader
    from reportlab.platypus import Image, KeepTogether, Table

    cells = []
    for content in (pair.before, pair.after):
        wide, high = ImageReader(io.BytesIO(content)).getSize()
        scale = min((_ROOM / 2 - 12) / wide, 220 / high)
        cells.append(Image(io.BytesIO(content), wide * scale, high * scale))
    grid = Table([cells], colWidths=[_ROOM / 2] * 2)
    return KeepTogether([grid, _paragraph(pair.name, _SMALL, colour=palette.FAINT)])


def _Bookmark(title: str, key: str) -> Any:  # noqa: N802 - a flowable
    from reportlab.platypus.flowables import AnchorFlowable

    class Bookmark(AnchorFlowable):  # type: ignore[misc]
        def draw(self) -> None:
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(title[:120], key, level=0)

    return Bookmark(key)


def _Curves(sheet: CurveSheet) -> Any:  # noqa: N802 - a flowable
    from reportlab.platypus import Flowable

    wide, high = sheet.size
    scale = 0.72 * _ROOM / wide

    class Curves(Flowable):  # type: ignore[misc]
        def wrap(self, *_: float) -> tuple[float, float]:
            return wide * scale, high * scale

        def draw(self) -> None:
            self.canv.saveState()
            self.canv.scale(scale, scale)
            paint_curves(PdfBrush(self.canv, high), sheet)
            self.canv.restoreState()

    return Curves()
