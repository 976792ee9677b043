"""One sheet that a function paints, as a whole file of any format."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TypeAlias

from graphprobe.drawing import palette
from graphprobe.drawing.paint import Brush
from graphprobe.drawing.text import clean

Size: TypeAlias = tuple[float, float]
Paint: TypeAlias = Callable[[Brush], None]
KINDS = ("svg", "png", "pdf")
_ZOOM = 2.0


def render_sheet(paint: Paint, size: Size, title: str, kind: str) -> bytes:
    """A sheet as a whole file.

    Args:
        paint: draws it with the brush that it is given.
        size: width and height in points.
        title: of the document.
        kind: one of `KINDS`.
    """
    return {"svg": _svg, "png": _png, "pdf": _pdf}[kind](paint, size, title)


def _png(paint: Paint, size: Size, title: str) -> bytes:  # noqa: ARG001 - as the others
    from PIL import Image, ImageDraw

    from graphprobe.drawing.renderers.png import PngBrush

    wide, high = (round(side * _ZOOM) for side in size)
    image = Image.new("RGB", (wide, high), palette.PAPER)
    paint(PngBrush(ImageDraw.Draw(image), _ZOOM))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _svg(paint: Paint, size: Size, title: str) -> bytes:
    from graphprobe.drawing.renderers.svg import SvgBrush, svg_document

    brush = SvgBrush()
    paint(brush)
    return svg_document(brush, size, title).encode()


def _pdf(paint: Paint, size: Size, title: str) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    from graphprobe.drawing.renderers.pdf import PdfBrush

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, invariant=1, pageCompression=1)
    canvas.setTitle(clean(title))
    paint(PdfBrush(canvas, size[1]))
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()
