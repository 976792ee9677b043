"""PDF: pages of a book, painted with reportlab; text stays text, the bytes are reproducible."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.layout.scene import Point
from graphprobe.drawing.pages.book import make_book
from graphprobe.drawing.pages.sheet import Page
from graphprobe.drawing.paint import paint_page
from graphprobe.drawing.renderer import Renderer
from graphprobe.drawing.text import font, runs
from graphprobe.version import __version__


class PdfBrush:
    """A reportlab canvas with the origin at the top left."""

    def __init__(self, canvas: Any, height: float) -> None:
        self._canvas = canvas
        self._height = height

    def text(
        self, x: float, y: float, text: str, size: float, colour: str, bold: bool = False
    ) -> None:
        """Write a line; y is the baseline."""
        # One text object a line, whatever fonts it takes, so that a search finds it whole.
        line = self._canvas.beginText(x, self._height - y)
        line.setFillColor(_colour(colour))
        for name, chars in runs(text, bold):
            line.setFont(face(name), size)
            line.textOut(chars)
        self._canvas.drawText(line)

    def box(self, x: float, y: float, w: float, h: float, fill: str, frame: str) -> None:
        """A rounded box."""
        self._canvas.setFillColor(_colour(fill))
        self._canvas.setStrokeColor(_colour(frame))
        self._canvas.setLineWidth(0.8)
        self._canvas.roundRect(x, self._height - y - h, w, h, 2.5, stroke=1, fill=1)

    def bar(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        """A filled rectangle without a frame."""
        self._canvas.setFillColor(_colour(fill))
        self._canvas.rect(x, self._height - y - h, w, h, stroke=0, fill=1)

    def curve(self, points: Sequence[Point], colour: str, line: float, dashed: bool) -> None:
        """A smooth line through points, leaving and arriving vertically."""
        path = self._canvas.beginPath()
        high = self._height
        path.moveTo(points[0][0], high - points[0][1])
        for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
            bend = (y2 - y1) / 2
            path.curveTo(x1, high - y1 - bend, x2, high - y2 + bend, x2, high - y2)
        self._canvas.setStrokeColor(_colour(colour))
        self._canvas.setLineWidth(line)
        self._canvas.setDash([3, 2] if dashed else [])
        self._canvas.drawPath(path, stroke=1, fill=0)

    def line(self, points: Sequence[Point], colour: str, line: float, dashed: bool = False) -> None:
        """Straight lines from point to point."""
        path = self._canvas.beginPath()
        path.moveTo(points[0][0], self._height - points[0][1])
        for x, y in points[1:]:
            path.lineTo(x, self._height - y)
        self._canvas.setStrokeColor(_colour(colour))
        self._canvas.setLineWidth(line)
        self._canvas.setDash([3, 2] if dashed else [])
        self._canvas.drawPath(path, stroke=1, fill=0)

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A filled polygon without a frame."""
        path = self._canvas.beginPath()
        path.moveTo(points[0][0], self._height - points[0][1])
        for x, y in points[1:]:
            path.lineTo(x, self._height - y)
        path.close()
        self._canvas.setFillColor(_colour(fill))
        self._canvas.drawPath(path, stroke=0, fill=1)


@cache
def _colour(text: str) -> Any:
    """A colour of reportlab's; it parses a text anew each time, at a quarter of a page's cost."""
    from reportlab.lib.colors import HexColor

    return HexColor(text)


def face(name: str) -> str:
    """The name under which reportlab knows a font, registered."""
    if name != "songti":
        return str(font(name).fontName)
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.pdfmetrics import getRegisteredFontNames, registerFont

    if "STSong-Light" not in getRegisteredFontNames():
        registerFont(UnicodeCIDFont("STSong-Light"))
    return "STSong-Light"


def render(drawing: Drawing) -> bytes:
    """A drawing as a PDF file with bookmarks."""
    return paint(make_book(drawing), drawing.title)


def paint(pages: Sequence[Page], title: str) -> bytes:
    """Pages as a PDF file."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    # invariant: no dates and no random ids, so equal drawings are equal files.
    canvas = Canvas(buffer, pagesize=pages[0].size, invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor("graphprobe")
    canvas.setCreator(f"graphprobe {__version__}")
    depth = -1
    for number, page in enumerate(pages, 1):
        canvas.setPageSize(page.size)
        if page.bookmark:
            canvas.bookmarkPage(f"page{number}")
            depth = min(page.depth, depth + 1)  # an outline may not skip a level
            canvas.addOutlineEntry(page.bookmark[:120], f"page{number}", level=depth)
        for at, section in enumerate(page.bookmarks):
            key = f"page{number}.{at}"
            canvas.bookmarkPage(key)
            canvas.addOutlineEntry(section[:120], key, level=0)
            depth = 0
        paint_page(PdfBrush(canvas, page.size[1]), page, title, f"page {number} of {len(pages)}")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


RENDERER = Renderer("pdf", render, engines=True)
