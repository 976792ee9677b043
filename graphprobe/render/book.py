"""Put scenes on pages: the whole model, its blocks, one page a stage, pairs, parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from graphprobe.render._text import shorten
from graphprobe.render.drawing import Drawing, Side
from graphprobe.render.scene import MIN_TEXT, SMALL, Scene, cut, make_scene
from graphprobe.render.view import View, part

A4, A3 = (595.0, 842.0), (842.0, 1191.0)
PAPERS = (A4, A4[::-1], A3, A3[::-1])
MARGIN, HEAD, FOOT = 28.0, 40.0, 34.0
LEAST_SCALE = MIN_TEXT / SMALL
_SCALES = (1.0, 0.93, LEAST_SCALE + 0.003)
_GUTTER = 26.0
_SPANS = (30, 8, 1)
MAX_NODES = 4000
_MAX_STAGE_PAGES = 60
_INDEX_STEP = 8.4
_MAX_INDEX = 3000


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
class Link:
    """A pair, from a student box to a teacher box, with its name."""

    points: tuple[tuple[float, float], ...]
    text: str


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
        notes: small print: what was left out.
    """

    size: tuple[float, float]
    heading: str
    bookmark: str = ""
    depth: int = 0
    placed: list[Placed] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def make_book(drawing: Drawing) -> list[Page]:
    """All pages of a drawing.

    Without a level: for each program the stages on one page, the blocks on as many as it takes,
    a page for each stage, then the parameters. With one: only that level.
    """
    pages: list[Page] = []
    if drawing.level is not None or drawing.focus is not None:
        for side, view in drawing.views("unit"):
            pages += view_pages(view, view.title, side)
        return pages
    for side in drawing.sides:
        for view in side.views("stage"):
            pages += view_pages(view, view.title, side)
    for side in drawing.sides:
        pages += _details(side)
    return pages


def _details(side: Side) -> Iterator[Page]:
    blocks = side.view("block")
    stages = side.view("stage")
    if len(blocks.dag) > len(stages.dag):
        yield from view_pages(blocks, blocks.title, side, depth=1)
    yield from _stage_pages(side, stages)
    yield from _index(side)


def _stage_pages(side: Side, stages: View) -> Iterator[Page]:
    units = side.view("unit")
    node_of = side.fold.levels["unit"].node_of
    drawn = 0
    for stage, items in enumerate(stages.items):
        inside = sorted({node_of[item] for item in items})
        if len(inside) < 2 or drawn >= _MAX_STAGE_PAGES:
            continue
        drawn += 1
        title = f"{stage + 1} {stages.words[stage].title}"
        numbers = [f"{stage + 1}.{k + 1}" for k in range(len(inside))]
        heading = f"{side.role} stage {title}" if side.role else f"stage {title}"
        yield from view_pages(part(units, inside, heading, numbers), heading, side, depth=1)


def view_pages(view: View, heading: str, side: Side, depth: int = 0) -> list[Page]:
    """A view on as few pages as it takes, all text at least `MIN_TEXT` points high."""
    if len(view.dag) > MAX_NODES:
        left = len(view.dag) - MAX_NODES
        view = part(view, range(MAX_NODES), view.title)
        view.notes.append(
            f"left out: {left:,} of {left + MAX_NODES:,} nodes; take --level stage or --focus"
        )
    pages = _one_page(view) or _many_pages(view)
    for at, page in enumerate(pages):
        page.heading = heading if len(pages) == 1 else f"{heading} ({at + 1} of {len(pages)})"
        page.bookmark, page.depth = (heading, depth) if at == 0 else ("", depth)
        page.notes = [side.counts(), *view.notes]
    return pages


def _room(paper: tuple[float, float], scale: float) -> tuple[float, float]:
    return (paper[0] - 2 * MARGIN) / scale, (paper[1] - 2 * MARGIN - HEAD - FOOT) / scale


def _one_page(view: View) -> list[Page] | None:
    """The view on a single sheet, or None."""
    if len(view.dag) > 400:
        return None
    scene = make_scene(view, max_width=_room(A4, LEAST_SCALE)[0])
    for paper in PAPERS:
        for scale in _SCALES:
            wide, high = _room(paper, scale)
            slices = _even(scene, high)
            total = sum(s.width for s in slices) + _GUTTER * (len(slices) - 1)
            if total <= wide:
                return [_sheet(paper, scale, slices)]
    return None


def _even(scene: Scene, high: float) -> list[Scene]:
    """As few slices as `high` allows, of about the same height."""
    slices = cut(scene, high)
    low = scene.height / len(slices)
    for step in range(6):
        tried = cut(scene, low + (high - low) * step / 6)
        if len(tried) <= len(slices):
            return tried
    return slices


def _many_pages(view: View) -> list[Page]:
    """The view in columns over several sheets."""
    for span in _SPANS:
        for paper in (A4, A3):
            scale = _SCALES[-1]
            wide, high = _room(paper, scale)
            scene = make_scene(view, max_width=_room(A4, scale)[0], max_span=span)
            slices = cut(scene, high)
            if max(s.width for s in slices) <= wide and max(s.height for s in slices) <= high:
                return list(_packed(paper, scale, slices))
    # Only a layer of way points is left that is too wide: shrink the paper's margin instead.
    size = (max(s.width for s in slices) + 2 * MARGIN, paper[1])
    return list(_packed(size, scale, slices))


def _packed(paper: tuple[float, float], scale: float, slices: Sequence[Scene]) -> Iterator[Page]:
    wide, _ = _room(paper, scale)
    row: list[Scene] = []
    for scene in slices:
        if row and sum(s.width + _GUTTER for s in row) + scene.width > wide:
            yield _sheet(paper, scale, row)
            row = []
        row.append(scene)
    yield _sheet(paper, scale, row)


def _sheet(paper: tuple[float, float], scale: float, slices: Sequence[Scene]) -> Page:
    total = sum(s.width for s in slices) + _GUTTER * (len(slices) - 1)
    x = (paper[0] - total * scale) / 2
    page = Page(paper, "")
    for scene in slices:
        page.placed.append(Placed(scene, x, MARGIN + HEAD, scale))
        x += (scene.width + _GUTTER) * scale
    return page


def _index(side: Side) -> Iterator[Page]:
    """Every parameter by name, so that a search in the file finds its stage."""
    rows = _index_rows(side)
    heading = f"{side.role} parameters" if side.role else "parameters"
    columns, step = 3, (A4[0] - 2 * MARGIN) / 3
    lines = int((A4[1] - 2 * MARGIN - HEAD - FOOT) / _INDEX_STEP)
    for start in range(0, min(len(rows), _MAX_INDEX), columns * lines):
        page = Page(A4, heading, heading if start == 0 else "", 1)
        for at, row in enumerate(rows[start : start + columns * lines]):
            x = MARGIN + step * (at // lines)
            y = MARGIN + HEAD + _INDEX_STEP * (at % lines + 1)
            page.texts.append(Text(x, y, shorten(row, MIN_TEXT + 0.2, step - 8), MIN_TEXT + 0.2))
        page.notes = [side.counts()]
        if len(rows) > _MAX_INDEX:
            page.notes.append(f"left out: {len(rows) - _MAX_INDEX:,} parameters")
        yield page


def _index_rows(side: Side) -> list[str]:
    graph, node_of = side.fold.graph, side.fold.levels["stage"].node_of
    stage: dict[str, int] = {}
    for at, item in enumerate(graph.items):
        if item.op is not None:
            for name in item.op.input_names():
                stage.setdefault(name, node_of[at] + 1)
    found = [(stage.get(v.name, 0), v) for v in side.program.parameters]
    found.sort(key=lambda entry: (entry[0], entry[1].name))
    return [f"{number}  {v.name} {list(v.shape or ())}" for number, v in found]
