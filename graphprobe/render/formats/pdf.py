"""PDF: pages of a book, painted with reportlab; text stays text, the bytes are reproducible."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from graphprobe.render import palette
from graphprobe.render._text import font, runs, shorten, width
from graphprobe.render.book import FOOT, MARGIN, Page, Placed, make_book
from graphprobe.render.drawing import Drawing
from graphprobe.render.formats._base import Renderer
from graphprobe.render.marks import COLOURS, MEANING, PAIR
from graphprobe.render.scene import SMALL, TITLE, Box, Point, Scene
from graphprobe.version import __version__


class Painter:
    """A reportlab canvas with the origin at the top left."""

    def __init__(self, canvas: Any, height: float) -> None:
        self.canvas = canvas
        self._height = height

    def text(
        self, x: float, y: float, text: str, size: float, colour: str, bold: bool = False
    ) -> None:
        """Write a line; y is the baseline."""
        self.canvas.setFillColor(colour)
        for name, chars in runs(text, bold):
            face = _face(name)
            self.canvas.setFont(face, size)
            self.canvas.drawString(x, self._height - y, chars)
            x += width(chars, size, bold)

    def box(
        self, x: float, y: float, w: float, h: float, fill: str, frame: str, round_: float = 2.5
    ) -> None:
        """A rounded box."""
        self.canvas.setFillColor(fill)
        self.canvas.setStrokeColor(frame)
        self.canvas.setLineWidth(0.8)
        self.canvas.roundRect(x, self._height - y - h, w, h, round_, stroke=1, fill=1)

    def bar(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        """A filled rectangle without a frame."""
        self.canvas.setFillColor(fill)
        self.canvas.rect(x, self._height - y - h, w, h, stroke=0, fill=1)

    def curve(self, points: Sequence[Point], colour: str, line: float, *, dashed: bool) -> None:
        """A smooth line through points, leaving and arriving vertically."""
        path = self.canvas.beginPath()
        path.moveTo(points[0][0], self._height - points[0][1])
        for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
            bend = (y2 - y1) / 2
            path.curveTo(
                x1, self._height - y1 - bend, x2, self._height - y2 + bend, x2, self._height - y2
            )
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(line)
        self.canvas.setDash([3, 2] if dashed else [])
        self.canvas.drawPath(path, stroke=1, fill=0)
        self.canvas.setDash([])

    def arrow(self, x: float, y: float, colour: str) -> None:
        """An arrow head that points down at (x, y)."""
        path = self.canvas.beginPath()
        path.moveTo(x, self._height - y)
        path.lineTo(x - 2.2, self._height - y + 4.5)
        path.lineTo(x + 2.2, self._height - y + 4.5)
        path.close()
        self.canvas.setFillColor(colour)
        self.canvas.drawPath(path, stroke=0, fill=1)


def _face(name: str) -> str:
    if name != "songti":
        return str(font(name).fontName)
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.pdfmetrics import getRegisteredFontNames, registerFont

    if "STSong-Light" not in getRegisteredFontNames():
        registerFont(UnicodeCIDFont("STSong-Light"))
    return "STSong-Light"


def render(drawing: Drawing) -> bytes:
    """A drawing as a PDF file with bookmarks."""
    return paint(make_book(drawing), drawing)


def paint(pages: Sequence[Page], drawing: Drawing) -> bytes:
    """Pages as a PDF file."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    # invariant: no dates and no random ids, so equal drawings are equal files.
    canvas = Canvas(buffer, pagesize=pages[0].size, invariant=1, pageCompression=1)
    canvas.setTitle(drawing.title)
    canvas.setCreator(f"graphprobe {__version__}")
    canvas.setAuthor("graphprobe")
    for number, page in enumerate(pages, 1):
        canvas.setPageSize(page.size)
        painter = Painter(canvas, page.size[1])
        if page.bookmark:
            canvas.bookmarkPage(f"page{number}")
            canvas.addOutlineEntry(page.bookmark[:120], f"page{number}", level=page.depth)
        _frame(painter, page, drawing, f"page {number} of {len(pages)}")
        for placed in page.placed:
            _scene(painter, placed)
        for text in page.texts:
            painter.text(text.x, text.y, text.text, text.size, text.colour, text.bold)
        for link in page.links:
            painter.curve(link.points, PAIR, 1.0, dashed=True)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _frame(painter: Painter, page: Page, drawing: Drawing, number: str) -> None:
    """Heading, legend, notes and page number."""
    wide, high = page.size
    room = wide - 2 * MARGIN
    painter.text(MARGIN, MARGIN + 8, shorten(drawing.title, 11, room, True), 11, palette.INK, True)
    painter.text(MARGIN, MARGIN + 20, shorten(page.heading, 9, room), 9, palette.FAINT)
    for at, note in enumerate(page.notes[:2]):
        y = high - MARGIN - FOOT + 20 + 8.5 * at
        painter.text(MARGIN, y, shorten(note, 6.5, room - 60), 6.5, palette.FAINT)
    painter.text(wide - MARGIN - width(number, 6.5), high - MARGIN + 3, number, 6.5, palette.FAINT)
    _legend(painter, page, MARGIN, high - MARGIN - FOOT + 9)


def _legend(painter: Painter, page: Page, x: float, y: float) -> None:
    used = {colour for p in page.placed for box in p.scene.boxes for colour, _ in box.band}
    for word, colour in COLOURS.items():
        if colour not in used:
            continue
        text = f"{word}: {MEANING[word]}"
        if x + width(text, 6.5) + 20 > page.size[0] - MARGIN:
            break
        painter.bar(x, y - 5.5, 6, 6, colour)
        painter.text(x + 8, y, text, 6.5, palette.INK)
        x += width(text, 6.5) + 20


def _scene(painter: Painter, placed: Placed) -> None:
    canvas = painter.canvas
    scene = placed.scene
    canvas.saveState()
    canvas.translate(placed.x, painter._height - placed.y - scene.height * placed.scale)
    canvas.scale(placed.scale, placed.scale)
    inner = Painter(canvas, scene.height)
    for wire in scene.wires:
        inner.curve(wire.points, palette.WIRE, 0.7, dashed=False)
    for wire in scene.wires:
        inner.arrow(*wire.points[-1], palette.WIRE)
    for tag in scene.tags:
        inner.text(tag.x, tag.y, tag.text, SMALL, palette.FAINT)
    for box in scene.boxes:
        _box(inner, box)
    canvas.restoreState()


def _box(painter: Painter, box: Box) -> None:
    painter.box(box.x, box.y, box.w, box.h, palette.FILL[box.kind], palette.FRAME[box.kind])
    at = box.y + 1
    for colour, share in box.band:
        painter.bar(box.x + 0.6, at, 4, (box.h - 2) * share, colour)
        at += (box.h - 2) * share
    x, y = box.x + 9, box.y + 4 + TITLE - 1
    painter.text(x, y, box.number, SMALL, palette.FAINT)
    painter.text(x + width(box.number + "  ", SMALL), y, box.title, TITLE, palette.INK, True)
    right = box.x + box.w - 4
    for badge in reversed(box.badges):
        right -= width(badge, SMALL, True)
        painter.text(right, y, badge, SMALL, PAIR, True)
        right -= 4
    for line in box.lines:
        y += 8.6
        painter.text(x, y, line, SMALL, palette.INK if line is box.lines[0] else palette.FAINT)
    for text, colour in box.chips:
        top = y + 8.6
        painter.bar(x, top - 5.5, 5.5, 5.5, colour)
        painter.text(x + 7.5, top, text, SMALL, colour)
        x += width(text, SMALL) + 11


RENDERER = Renderer("pdf", render)
__all__ = ["RENDERER", "Scene", "paint", "render"]
