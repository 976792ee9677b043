"""Fit views on sheets of paper: paper, scale and columns are chosen so that text stays readable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from graphprobe.drawing.layout.boxes import MIN_TEXT, SMALL
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.drawing.layout.scene import Scene, make_scene
from graphprobe.drawing.overlay import ColourBar
from graphprobe.drawing.pages.page_breaks import break_scene, row_starts

A4, A3 = (595.0, 842.0), (842.0, 1191.0)
MARGIN, HEAD, FOOT = 28.0, 34.0, 34.0
LEAST_SCALE = MIN_TEXT / SMALL + 0.001
GUTTER = 24.0
_SCALES = (1.0, 0.93, LEAST_SCALE)
_MAX_ONE_PAGE = 300
# (widest box, edges over more layers become tags), the roomiest first.
_STYLES = ((190.0, 30), (170.0, 5), (150.0, 3))
_SPANS = (30, 8, 1)


@dataclass(frozen=True, slots=True)
class Placed:
    """A scene on a page: its corner, in points from the top left, and its scale."""

    scene: Scene
    x: float
    y: float
    scale: float


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text on a page; y is its baseline."""

    x: float
    y: float
    text: str
    size: float = SMALL
    bold: bool = False
    colour: str = "#202124"


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle behind everything."""

    x: float
    y: float
    w: float
    h: float
    colour: str


@dataclass(frozen=True, slots=True)
class Link:
    """A pair, from a student box to a teacher box, with its name.

    Args:
        points: start and end.
        text: the label.
        label_x: the middle of the label; the middle of the line where it is None.
        shift: how far below the line the label stands.
    """

    points: tuple[tuple[float, float], ...]
    text: str
    label_x: float | None = None
    shift: float = 0.0

    @property
    def label_y(self) -> float:
        """The height of the line's middle, where the label stands unless it is moved."""
        return (self.points[0][1] + self.points[-1][1]) / 2


@dataclass(slots=True)
class Page:
    """One sheet.

    Args:
        size: width and height in points.
        heading: at the top.
        bookmark: its title in the outline; empty for none.
        depth: of the bookmark in the outline.
        placed: scenes.
        texts: free text.
        links: pairs.
        bars: filled rectangles behind everything.
        notes: small print: what was left out.
        bookmarks: titles of sections on the page, for the outline.
        colour_bar: what explains the fills, where they show numbers.
    """

    size: tuple[float, float]
    heading: str
    bookmark: str = ""
    depth: int = 0
    placed: list[Placed] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bookmarks: list[str] = field(default_factory=list)
    colour_bar: ColourBar | None = None

    @property
    def bottom(self) -> float:
        """Where the scenes end."""
        ends = (p.y + p.scene.height * p.scale for p in self.placed)
        return max(ends, default=MARGIN + HEAD)


def room(paper: tuple[float, float], scale: float) -> tuple[float, float]:
    """What a scene of this scale may measure."""
    return (paper[0] - 2 * MARGIN) / scale, (paper[1] - 2 * MARGIN - HEAD - FOOT) / scale


def one_page(views: Sequence[LayoutGraph]) -> Page | None:
    """Views side by side on a single sheet, or None where they do not fit."""
    if sum(len(view.dag) for view in views) > _MAX_ONE_PAGE:
        return None
    width = room(A4, LEAST_SCALE)[0]
    styles = [
        [make_scene(v, max_width=width, max_box=box, max_span=span) for v in views]
        for box, span in (_STYLES if views[0].engine == "layered" else _STYLES[:1])
    ]
    for upright in (A4, A3):
        for scenes in styles:
            for scale in _SCALES:
                for paper in (upright, upright[::-1]):
                    slices = [
                        part for scene in scenes for part in _even(scene, room(paper, scale)[1])
                    ]
                    if _total(slices) <= room(paper, scale)[0]:
                        return _sheet(paper, scale, slices)
    return None


def _total(slices: Sequence[Scene]) -> float:
    return sum(s.width for s in slices) + GUTTER * (len(slices) - 1)


def _even(scene: Scene, high: float) -> list[Scene]:
    """As few slices as `high` allows, of about the same height."""
    count = len(row_starts(scene, high))
    low = scene.height / count
    tried = (low + (high - low) * step / 6 for step in range(6))
    return break_scene(scene, next((h for h in tried if len(row_starts(scene, h)) <= count), high))


def many_pages(view: LayoutGraph) -> list[Page]:
    """A view in columns over several sheets."""
    scale = LEAST_SCALE
    for span in _SPANS if view.engine == "layered" else _SPANS[:1]:
        scene = make_scene(view, max_width=room(A4, scale)[0], max_span=span, strict=True)
        for paper in (A4, A3):
            wide, high = room(paper, scale)
            slices = break_scene(scene, high)
            if max(s.width for s in slices) <= wide and max(s.height for s in slices) <= high:
                return list(_packed(paper, scale, slices))
    # One layer is larger than A3: let the sheet grow rather than the text shrink.
    size = (
        max(s.width for s in slices) * scale + 2 * MARGIN,
        max(s.height for s in slices) * scale + 2 * MARGIN + HEAD + FOOT,
    )
    return list(_packed((max(size[0], A3[0]), max(size[1], A3[1])), scale, slices))


def _packed(paper: tuple[float, float], scale: float, slices: Sequence[Scene]) -> Iterator[Page]:
    wide, _ = room(paper, scale)
    row: list[Scene] = []
    for scene in slices:
        if row and _total([*row, scene]) > wide:
            yield _sheet(paper, scale, row)
            row = []
        row.append(scene)
    yield _sheet(paper, scale, row)


def _sheet(paper: tuple[float, float], scale: float, slices: Sequence[Scene]) -> Page:
    x = max(MARGIN, (paper[0] - _total(slices) * scale) / 2)
    page = Page(paper, "")
    for scene in slices:
        page.placed.append(Placed(scene, x, MARGIN + HEAD, scale))
        x += (scene.width + GUTTER) * scale
    return page
