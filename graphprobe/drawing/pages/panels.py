"""The stages in detail: a panel each, units inside, flowing into columns over as few sheets as
they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from graphprobe.drawing import palette
from graphprobe.drawing.drawing import Side
from graphprobe.drawing.folding.repeats import fold_repeats
from graphprobe.drawing.layout.layout_graph import LayoutGraph, part_without_ports
from graphprobe.drawing.layout.scene import Scene, make_scene
from graphprobe.drawing.pages.page_breaks import break_scene
from graphprobe.drawing.pages.sheet import (
    A3,
    A4,
    LEAST_SCALE,
    MARGIN,
    Page,
    Placed,
    Text,
    room,
)
from graphprobe.drawing.pages.sheet import HEAD as PAGE_HEAD
from graphprobe.drawing.text import shorten

_HEAD, _GAP, _COLUMN_GAP = 24.0, 12.0, 16.0
_MAX_BOX, _MAX_SPAN = 190.0, 5
_MOST_UNITS = 3000  # of all panels of a program
_A4_HEIGHT = 1500.0  # all panels together; more goes on A3


@dataclass(frozen=True, slots=True)
class Panel:
    """A stage: its heading, a line of figures, and its units in slices that fit a column."""

    title: str
    figures: str
    slices: tuple[Scene, ...]


def panel_pages(side: Side) -> list[Page]:
    """The panels of every stage that holds more than one unit.

    Stages beyond a bound on all units together are left out, and a note counts them.
    """
    units, stages = side.view("unit"), side.view("stage")
    node_of = side.fold.levels["unit"].node_of
    inside = [sorted({node_of[item] for item in items}) for items in stages.items]
    wanted = [n for n, nodes in enumerate(inside) if len(nodes) > 1]
    alike = [n for n in wanted if side.version is not None and not _differs(stages, n)]
    wanted = [n for n in wanted if n not in set(alike)]
    views, left, drawn = [], 0, 0
    for stage in wanted:
        if drawn + len(inside[stage]) > _MOST_UNITS:
            left += 1
            continue
        drawn += len(inside[stage])
        views.append((stage, _panel_view(side, units, stages, stage, inside[stage])))
    paper = _sheet_for([view for _, view in views])
    panels = [_panel(side, stages, stage, view, paper) for stage, view in views]
    pages = list(_flow(panels, paper))
    heading = f"{side.role}: the stages in detail" if side.role else "the stages in detail"
    for number, page in enumerate(pages, 1):
        page.heading = heading + (f" ({number} of {len(pages)})" if len(pages) > 1 else "")
        page.bookmark = heading if number == 1 else ""
        page.colour_bar = side.overlay.bar("unit")
        page.notes = [
            "equal blocks in a row are drawn once, with × and their number",
            side.counts(),
        ]
        if alike:
            page.notes.insert(0, f"left out: {len(alike):,} stages without a difference")
        if left:
            page.notes.insert(0, f"left out: {left:,} of {len(wanted):,} stages; take a focus")
    return pages


def _differs(stages: LayoutGraph, stage: int) -> bool:
    return any(word != "same" for word in stages.words[stage].statuses)


def _panel_view(
    side: Side, units: LayoutGraph, stages: LayoutGraph, stage: int, nodes: Sequence[int]
) -> LayoutGraph:
    stage_of = side.fold.levels["stage"].node_of
    block_of = side.fold.levels["block"].node_of
    numbers = [f"{stage + 1}.{k + 1}" for k in range(len(nodes))]
    view = part_without_ports(units, nodes, numbers)
    own = set(nodes)
    enters, leaves = [], []
    for at, node in enumerate(nodes):
        came = {stage_of[units.items[u][0]] for u in units.dag.pred[node] if u not in own}
        goes = {stage_of[units.items[v][0]] for v in units.dag.succ[node] if v not in own}
        enters.append(bool(came))
        leaves.append(bool(goes))
        ports = [f"from {_listed(stages, came)}"] if came else []
        ports += [f"to {_listed(stages, goes)}"] if goes else []
        if ports:
            words = view.words[at]
            view.words[at] = replace(words, lines=(*words.lines, " · ".join(ports)))
    return fold_repeats(view, [block_of[items[0]] for items in view.items], enters, leaves)


def _listed(stages: LayoutGraph, found: set[int]) -> str:
    shown = [stages.numbers[n] for n in sorted(found)]
    more = f" +{len(shown) - 4}" if len(shown) > 4 else ""
    return f"stage {', '.join(shown[:4])}{more}"


def _sheet_for(views: Sequence[LayoutGraph]) -> tuple[float, float]:
    """A4 where a few units fit it, A3 otherwise."""
    high = sum(60.0 * (1 + len(view.dag)) for view in views)
    return A4 if high <= _A4_HEIGHT else A3


def _panel(
    side: Side, stages: LayoutGraph, stage: int, view: LayoutGraph, paper: tuple[float, float]
) -> Panel:
    wide, high = room(paper, LEAST_SCALE)
    scene = make_scene(view, max_width=wide, max_box=_MAX_BOX, max_span=_MAX_SPAN, strict=True)
    stride = side.fold.strides[stages.items[stage][-1]]
    figures = [f"stride {stride}"] if stride is not None else []
    found = side.figures.line(stages.ops[stage])
    return Panel(
        f"{stages.numbers[stage]}  {stages.words[stage].title}",
        " · ".join([*figures, found] if found else figures),
        tuple(break_scene(scene, high - _HEAD)),
    )


def _flow(panels: Sequence[Panel], paper: tuple[float, float]) -> Iterator[Page]:
    """Panels from top to bottom in columns, columns from left to right."""
    wide, high = room(paper, LEAST_SCALE)
    page, x, y, column = Page(paper, ""), 0.0, 0.0, 0.0
    for panel in panels:
        for number, scene in enumerate(panel.slices):
            if y and y + _HEAD + scene.height > high:
                x, y, column = x + column + _COLUMN_GAP, 0.0, 0.0
            if x + scene.width > wide and (x or y):
                yield page
                page, x, y, column = Page(paper, ""), 0.0, 0.0, 0.0
            if scene.width > wide or _HEAD + scene.height > high:
                page.size = _grown(page.size, scene)
            _place(page, panel, number, scene, x, y)
            y += _HEAD + scene.height + _GAP
            column = max(column, scene.width)
    if page.placed:
        yield page


def _grown(size: tuple[float, float], scene: Scene) -> tuple[float, float]:
    """The size of a sheet for a scene that no sheet holds: text does not shrink."""
    wide, high = room(size, LEAST_SCALE)
    return (
        size[0] + max(0.0, scene.width - wide) * LEAST_SCALE,
        size[1] + max(0.0, _HEAD + scene.height - high) * LEAST_SCALE,
    )


def _place(page: Page, panel: Panel, number: int, scene: Scene, x: float, y: float) -> None:
    left, top = MARGIN + x * LEAST_SCALE, MARGIN + PAGE_HEAD + y * LEAST_SCALE
    page.placed.append(Placed(scene, left, top + _HEAD * LEAST_SCALE, LEAST_SCALE))
    space = max(scene.width, 110.0) * LEAST_SCALE
    more = f" ({number + 1} of {len(panel.slices)})" if len(panel.slices) > 1 else ""
    page.texts.append(Text(left, top + 6, shorten(panel.title + more, 8.0, space, True), 8.0, True))
    text = shorten(panel.figures, 6.5, space)
    page.texts.append(Text(left, top + 14.5, text, 6.5, False, palette.FAINT))
