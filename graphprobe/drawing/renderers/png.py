"""PNG: one picture, painted with pillow at twice the size of print."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from graphprobe.drawing import palette
from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.layout.scene import Point
from graphprobe.drawing.pages.picture import make_picture
from graphprobe.drawing.paint import paint_page
from graphprobe.drawing.renderer import Renderer
from graphprobe.drawing.text import FILES, runs, width

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_ZOOM = 2.0
_MAX_PIXELS = 60e6
_MAX_NODES = 1500
_STEPS = 12


class PngBrush:
    """A pillow image; everything is multiplied by `zoom`."""

    def __init__(self, draw: ImageDraw, zoom: float) -> None:
        self._draw = draw
        self._zoom = zoom

    def text(
        self, x: float, y: float, text: str, size: float, colour: str, bold: bool = False
    ) -> None:
        """Write a line; y is the baseline."""
        z = self._zoom
        for name, chars in runs(text, bold):
            known = "cjk" if name == "songti" else name
            face = _face(known, round(size * z, 1))
            wide = width(chars, size, bold)
            # Hinting rounds every letter to whole pixels: a little smaller, so that the text ends
            # where it was measured to end.
            drawn = face.getlength(chars)
            if drawn > wide * z + 0.5:
                face = _face(known, round(size * z * wide * z / drawn - 0.05, 1))
            self._draw.text((x * z, y * z), chars, fill=colour, font=face, anchor="ls")
            x += wide

    def box(self, x: float, y: float, w: float, h: float, fill: str, frame: str) -> None:
        """A rounded box."""
        z = self._zoom
        corners = (x * z, y * z, (x + w) * z, (y + h) * z)
        self._draw.rounded_rectangle(corners, 2.5 * z, fill, frame, max(1, round(0.8 * z)))

    def bar(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        """A filled rectangle without a frame."""
        z = self._zoom
        self._draw.rectangle((x * z, y * z, (x + w) * z, max(y * z, (y + h) * z - 1)), fill)

    def curve(self, points: Sequence[Point], colour: str, line: float, dashed: bool) -> None:
        """A smooth line through points."""
        z = self._zoom
        path = [(px * z, py * z) for px, py in _sampled(points)]
        wide = max(1, round(line * z))
        if not dashed:
            self._draw.line(path, colour, wide)
            return
        for a, b in _dashes(path, 3 * z):
            self._draw.line((a, b), colour, wide)

    def line(self, points: Sequence[Point], colour: str, line: float, dashed: bool = False) -> None:
        """Straight lines from point to point."""
        z = self._zoom
        path = [(x * z, y * z) for x, y in points]
        wide = max(1, round(line * z))
        if not dashed:
            self._draw.line(path, colour, wide)
            return
        for a, b in _dashes(path, 3 * z):
            self._draw.line((a, b), colour, wide)

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A filled polygon without a frame."""
        self._draw.polygon([(x * self._zoom, y * self._zoom) for x, y in points], fill)


@cache
def _face(name: str, size: float) -> FreeTypeFont:
    from PIL import ImageFont

    # The basic layout engine is in every build of pillow, so the picture is the same everywhere.
    return ImageFont.truetype(str(FILES[name]), size, layout_engine=ImageFont.Layout.BASIC)


def _sampled(points: Sequence[Point]) -> list[Point]:
    found = [points[0]]
    for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
        if abs(x1 - x2) < 0.01:
            found += [(x2, y1 + (y2 - y1) * k / _STEPS) for k in range(1, _STEPS + 1)]
            continue
        middle = (y1 + y2) / 2
        for k in range(1, _STEPS + 1):
            t = k / _STEPS
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            found.append(((a + b) * x1 + (c + d) * x2, a * y1 + (b + c) * middle + d * y2))
    return found


def _dashes(path: Sequence[Point], length: float) -> Iterator[tuple[Point, Point]]:
    """Every other piece of a line, each about `length` long."""
    at = 0.0
    for (x1, y1), (x2, y2) in pairwise(path):
        whole = math.hypot(x2 - x1, y2 - y1)
        pieces = max(1, round(whole / length))
        for k in range(pieces):
            if int(at / length) % 2 == 0:
                a, b = k / pieces, (k + 1) / pieces
                yield (
                    (x1 + (x2 - x1) * a, y1 + (y2 - y1) * a),
                    (x1 + (x2 - x1) * b, y1 + (y2 - y1) * b),
                )
            at += whole / pieces


def render(drawing: Drawing) -> bytes:
    """A drawing as one PNG picture."""
    from PIL import Image, ImageDraw

    page = make_picture(drawing, _MAX_NODES)
    wide, high = page.size
    zoom = min(_ZOOM, (_MAX_PIXELS / (wide * high)) ** 0.5)
    image = Image.new("RGB", (round(wide * zoom), round(high * zoom)), palette.PAPER)
    paint_page(PngBrush(ImageDraw.Draw(image), zoom), page, drawing.title)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


RENDERER = Renderer("png", render, engines=True)
