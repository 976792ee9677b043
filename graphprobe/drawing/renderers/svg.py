"""SVG: one picture; everything that comes from the model is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from graphprobe.drawing import palette
from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.layout.scene import Point
from graphprobe.drawing.pages.book import MAX_NODES
from graphprobe.drawing.pages.picture import make_picture
from graphprobe.drawing.pages.sheet import Page
from graphprobe.drawing.paint import paint_page
from graphprobe.drawing.renderer import Renderer
from graphprobe.drawing.text import clean, width

FAMILY = "DejaVu Sans Condensed, Arial, Helvetica, Noto Sans CJK SC, sans-serif"


def _n(value: float) -> str:
    """A number in as few digits as a picture needs."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


class SvgBrush:
    """Collects SVG elements."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def text(
        self, x: float, y: float, text: str, size: float, colour: str, bold: bool = False
    ) -> None:
        """Write a line; y is the baseline."""
        weight = ' font-weight="bold"' if bold else ""
        if len(text) > 1:  # a viewer without the font must not make it wider
            weight += f' textLength="{_n(width(text, size, bold))}" lengthAdjust="spacingAndGlyphs"'
        self.parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{colour}"{weight}>'
            f"{escape(clean(text))}</text>"
        )

    def box(self, x: float, y: float, w: float, h: float, fill: str, frame: str) -> None:
        """A rounded box."""
        self.parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}" rx="2.5" '
            f'fill="{fill}" stroke="{frame}" stroke-width="0.8"/>'
        )

    def bar(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        """A filled rectangle without a frame."""
        self.parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}" fill="{fill}"/>'
        )

    def curve(self, points: Sequence[Point], colour: str, line: float, dashed: bool) -> None:
        """A smooth line through points."""
        dash = ' stroke-dasharray="3 2"' if dashed else ""
        self.parts.append(
            f'<path d="{curve_path(points)}" fill="none" stroke="{colour}" '
            f'stroke-width="{_n(line)}"{dash}/>'
        )

    def line(self, points: Sequence[Point], colour: str, line: float, dashed: bool = False) -> None:
        """Straight lines from point to point."""
        dash = ' stroke-dasharray="3 2"' if dashed else ""
        path = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self.parts.append(
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{_n(line)}"{dash}/>'
        )

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A filled polygon without a frame."""
        path = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self.parts.append(f'<path d="M{path}z" fill="{fill}"/>')


def curve_path(points: Sequence[Point]) -> str:
    """The path data of a smooth line through points."""
    found = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
        middle = (y1 + y2) / 2
        found.append(f"C{_n(x1)} {_n(middle)} {_n(x2)} {_n(middle)} {_n(x2)} {_n(y2)}")
    return "".join(found)


def render(drawing: Drawing) -> bytes:
    """A drawing as one SVG picture."""
    page = make_picture(drawing, MAX_NODES)
    return svg_text(page, drawing.title).encode()


def svg_text(page: Page, title: str) -> str:
    """A page as an SVG document."""
    brush = SvgBrush()
    paint_page(brush, page, title)
    return svg_document(brush, page.size, f"{title}: {page.heading}")


def svg_document(brush: SvgBrush, size: tuple[float, float], title: str) -> str:
    """What a brush has painted, as an SVG document of that width and height."""
    wide, high = map(_n, size)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" font-family="{FAMILY}" role="img">'
        f"<title>{escape(clean(title))}</title>"
        f'<rect width="{wide}" height="{high}" fill="{palette.PAPER}"/>'
    )
    return "\n".join([head, *brush.parts, "</svg>", ""])


RENDERER = Renderer("svg", render, engines=True)
