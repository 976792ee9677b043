"""One picture of everything: the sides next to each other, their pairs joined by lines."""

from __future__ import annotations

from graphprobe.drawing.drawing import AnyLevel, Drawing, Side
from graphprobe.drawing.folding.fold import Level
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.drawing.layout.scene import Scene, make_scene
from graphprobe.drawing.pages.book import limited
from graphprobe.drawing.pages.page_breaks import break_scene
from graphprobe.drawing.pages.pair_lines import PAIR_GUTTER, pair_links
from graphprobe.drawing.pages.sheet import FOOT, HEAD, MARGIN, Page, Placed, Text
from graphprobe.drawing.pages.wall import make_wall

_READABLE = 60  # nodes, of all sides together
_LEVELS: tuple[Level, ...] = ("op", "unit", "block")
_SMALL_PICTURE = 30
_COLUMN_GAP = 30.0
_LEAST_WIDTH = 560.0
_ASPECT = 1.6
_MAX_WIDTH = 1100.0


def picture_level(drawing: Drawing) -> AnyLevel:
    """The finest level at which every side stays readable in one picture."""
    for level in _LEVELS:
        if sum(len(side.fold.levels[level].dag) for side in drawing.sides) <= _READABLE:
            return level
    return "stage"


def make_picture(drawing: Drawing, max_nodes: int) -> Page:
    """Everything on one sheet: the wall, or the level or focus asked for, as large as it takes.

    Programs that fit a small picture as they are, unit by unit, are shown so. The wall has its
    places by stride; another engine lays out the finest level that stays readable instead.

    Args:
        drawing: what to draw.
        max_nodes: of each view; the rest is left out, and a note counts it.

    Raises:
        UsageError: the focus matches nothing.
        GraphprobeError: ``dot`` lays out, and is not installed or fails.
    """
    asked = drawing.level is not None or drawing.focus is not None or drawing.engine != "layered"
    if not asked and not _is_small(drawing):
        return make_wall(drawing)
    page = Page((0.0, 0.0), "")
    x = MARGIN
    views = drawing.views(picture_level(drawing))
    for side, view in views:
        shown = limited(view, max_nodes) if len(view.dag) > max_nodes else view
        x = _add(page, side, shown, x, many=len(views) > 1)
    high = max((p.y + p.scene.height for p in page.placed), default=HEAD) + MARGIN + FOOT
    page.size = (max(x - PAIR_GUTTER + MARGIN, _LEAST_WIDTH), high)
    page.links = pair_links(drawing, page.placed)
    level = drawing.level or ("unit" if drawing.focus is not None else picture_level(drawing))
    page.colour_bar = drawing.sides[0].overlay.bar(level)
    return page


def _is_small(drawing: Drawing) -> bool:
    return sum(len(side.fold.levels["unit"].dag) for side in drawing.sides) <= _SMALL_PICTURE


def _add(page: Page, side: Side, view: LayoutGraph, x: float, *, many: bool) -> float:
    """Put a view at `x`; returns where the next one may stand."""
    scene = make_scene(view, max_width=_MAX_WIDTH)
    top = MARGIN + HEAD + (10 if many else 0)
    if many:
        page.texts.append(Text(x, MARGIN + HEAD, f"{view.title}: {side.name}", 9, True))
    else:
        page.heading = view.title
    for column in _columns(scene):
        page.placed.append(Placed(column, x, top, 1.0))
        x += column.width + _COLUMN_GAP
    for note in (*view.notes, side.counts()):
        page.notes.append(f"{side.role}: {note}" if side.role else note)
    return x - _COLUMN_GAP + PAIR_GUTTER


def _columns(scene: Scene) -> list[Scene]:
    """Break a tall scene into columns, so that the picture is not a ribbon."""
    if scene.height <= 1200 or scene.height <= _ASPECT * scene.width:
        return [scene]
    return break_scene(scene, max(1000.0, (scene.height * scene.width * _ASPECT) ** 0.5))
