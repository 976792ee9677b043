"""One sheet to pin to the wall: stages in bands by stride, student left, teacher right, pairs.

A band holds the stages whose output is that much smaller than the image, so what student and
teacher do at one stride stands at one height. Within a band a stage stands under its
predecessor; where the stride goes down again (a neck or a decoder) a new column begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeAlias

from graphprobe.drawing import palette
from graphprobe.drawing.drawing import Drawing, Side
from graphprobe.drawing.figures import compared_text, size_text
from graphprobe.drawing.layout.boxes import Box, make_box
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.drawing.layout.routes import Columns, route
from graphprobe.drawing.layout.scene import Scene, Wire
from graphprobe.drawing.pages.pair_lines import PAIR_GUTTER, pair_links
from graphprobe.drawing.pages.sheet import (
    A3,
    A4,
    FOOT,
    HEAD,
    LEAST_SCALE,
    MARGIN,
    Bar,
    Page,
    Placed,
    Text,
)
from graphprobe.drawing.pages.wall_words import NARROW, is_shared_input, wall_words
from graphprobe.drawing.strides import Stride
from graphprobe.drawing.text import shorten

Band: TypeAlias = Stride | None
# Width, tops of the bands, height, sheet, scale.
_Fit: TypeAlias = tuple[float, dict[Band, float], float, tuple[float, float], float]
_GAP_X, _GAP_Y, _PAD = 22.0, 14.0, 8.0
_RAIL = 44.0
_ROWS = (24, 14, 10, 8, 6, 5, 4, 3, 2)
_WIDTHS = (176.0, 150.0, NARROW)
_SIDE_HEAD = 46.0
_LARGEST = 1.35
_KEY = (
    "A box is a stage: what it holds; the channels (ch) and the size that leave it; parameters "
    "and multiply-adds (MACs).",
    "Left edge and last words: prune status by share of output channels. Dashed: a distillation "
    "pair with its role, loss x weight.",
)
_DIFF_KEY = (
    "A box is a stage, the same one on both sides; the band at its left edge and the words below "
    "count what became of its layers; percent compare a stage with itself before.",
    "Matched by op types, attributes and connections; the values of weights are not compared.",
)


@dataclass(slots=True)
class _Lane:
    """One program on the wall.

    Args:
        side: the program.
        view: its stages, with the words of the wall.
        band: of each stage.
        column: of each stage.
        boxes: of the stages, without places.
        sizes: the boxes for each width that was tried.
        cells: band and column -> stages from top to bottom.
        x: the left edge of each column.
        width: of all columns.
    """

    side: Side
    view: LayoutGraph
    band: list[Band]
    column: list[int]
    boxes: list[Box] = field(default_factory=list)
    sizes: dict[float, list[Box]] = field(default_factory=dict)
    cells: dict[tuple[Band, int], list[int]] = field(default_factory=dict)
    x: list[float] = field(default_factory=list)
    width: float = 0.0


def make_wall(drawing: Drawing) -> Page:
    """The stages of one or two programs on one sheet."""
    lanes = [_lane(side) for side in drawing.sides]
    bands = sorted({b for lane in lanes for b in lane.band}, key=_band_key)
    wide, tops, paper, scale = _fitted(lanes, bands)
    scenes = [_scene(lane, tops) for lane in lanes]
    page = Page(paper, "the whole model by stages, in bands by stride")
    if drawing.diff is not None:
        from graphprobe.drawing.diff.marking import diff_text

        page.heading = f"before and after by stages: {diff_text(drawing.diff)}"
    elif len(lanes) > 1:
        page.heading = "student and teacher by stages, in bands by stride"
    top = MARGIN + HEAD + _SIDE_HEAD * scale
    _draw_bands(page, bands, tops, scale, top)
    spare = max(0.0, paper[0] - 2 * MARGIN - wide * scale)
    x = MARGIN + _RAIL * scale + (spare / 2 if len(lanes) == 1 else 0.0)
    for lane, scene in zip(lanes, scenes, strict=True):
        page.placed.append(Placed(scene, x, top, scale))
        page.texts += _headline(lane, x, MARGIN + HEAD + 4, _room(lanes, lane, scale, spare))
        x += (lane.width + PAIR_GUTTER) * scale + spare
    page.links = pair_links(drawing, page.placed)
    page.colour_bar = drawing.sides[0].overlay.bar("stage")
    page.notes = [*(_KEY if drawing.diff is None else _DIFF_KEY), *_counts(drawing)]
    return page


def _fitted(
    lanes: Sequence[_Lane], bands: Sequence[Band]
) -> tuple[float, dict[Band, float], tuple[float, float], float]:
    """Fill cells so that the smallest sheet holds everything at the largest scale.

    Returns:
        The width of everything, the top of each band, the sheet and the scale.
    """
    best = max(
        ((_quality(_fit(lanes, bands, box, rows)), box, rows) for box in _WIDTHS for rows in _ROWS),
        key=lambda found: found[0],
    )
    wide, tops, height, paper, scale = _fit(lanes, bands, *best[1:])
    # What is left of the sheet's height goes to the bands.
    room = (paper[1] - 2 * MARGIN - HEAD - FOOT - 20.0) / scale - _SIDE_HEAD - height
    extra = min(max(0.0, room) / max(1, len(bands)), 60.0)
    spread = {band: top + at * extra for at, (band, top) in enumerate(tops.items())}
    return wide, spread, paper, scale


def _quality(fit: _Fit) -> tuple[bool, float, float]:
    """Sheets that can be bought first, then small ones, then large text."""
    paper, scale = fit[3:]
    return paper in (A4, A4[::-1], A3, A3[::-1]), -paper[0] * paper[1], scale


def _fit(lanes: Sequence[_Lane], bands: Sequence[Band], widest: float, rows: int) -> _Fit:
    for lane in lanes:
        if widest not in lane.sizes:
            nodes = range(len(lane.view.words))
            lane.sizes[widest] = [make_box(lane.view, node, widest) for node in nodes]
        lane.boxes = lane.sizes[widest]
        _fill_cells(lane, rows)
    tops, height = _bands(lanes, bands)
    wide = _RAIL + sum(lane.width for lane in lanes) + PAIR_GUTTER * (len(lanes) - 1)
    return wide, tops, height, *_paper(wide, height + _SIDE_HEAD)


def _lane(side: Side) -> _Lane:
    view = wall_words(side, side.view("stage"))
    strides = side.fold.strides
    band: list[Band] = [strides[items[-1]] if items else None for items in view.items]
    column = _columns(view, band)
    return _Lane(side, view, band, column)


def _columns(view: LayoutGraph, band: Sequence[Band]) -> list[int]:
    """Where a stride goes down again, a new column begins."""
    column: list[int] = []
    for node, near in enumerate(view.dag.pred):
        best = 0
        for u in near:
            up = band[node] is not None and band[u] is not None and band[node] < band[u]  # type: ignore[operator]
            best = max(best, column[u] + up)
        column.append(best)
    sources = [n for n in range(len(column)) if not view.dag.pred[n] and band[n] is None]
    for node in sources:  # an input stands over what reads it
        column[node] = min((column[v] for v in view.dag.succ[node]), default=0)
    return column


def _fill_cells(lane: _Lane, most: int) -> None:
    """Put stages in cells of at most `most`; what is left over goes on in the next column."""
    whole: dict[Band, dict[int, list[int]]] = {}
    for node in range(len(lane.band)):
        whole.setdefault(lane.band[node], {}).setdefault(lane.column[node], []).append(node)
    lane.cells = {}
    for band, columns in whole.items():
        free = 0
        for at in sorted(columns):
            nodes = columns[at]
            parts = -(-len(nodes) // most)
            rows = -(-len(nodes) // parts)
            first = max(at, free)
            for k in range(parts):
                lane.cells[band, first + k] = nodes[k * rows : (k + 1) * rows]
            free = first + parts
    wide = [0.0] * (max((at for _, at in lane.cells), default=0) + 1)
    for (_, at), nodes in lane.cells.items():
        wide[at] = max(wide[at], *(lane.boxes[n].w for n in nodes), 0.0)
    lane.x = [sum(wide[:at]) + _GAP_X * at for at in range(len(wide))]
    lane.width = max(lane.x[-1] + wide[-1], 120.0)


def _band_key(band: Band) -> tuple[bool, tuple[Fraction, ...]]:
    return band is None, band if band is not None else ()


def _bands(lanes: Sequence[_Lane], bands: Sequence[Band]) -> tuple[dict[Band, float], float]:
    """The top of each band (and of the end, under the key of the next one) and the height."""
    tops: dict[Band, float] = {}
    at = 0.0
    for band in bands:
        tops[band] = at
        high = 0.0
        for lane in lanes:
            for (b, _), nodes in lane.cells.items():
                if b == band:
                    stack = sum(lane.boxes[n].h for n in nodes) + _GAP_Y * (len(nodes) - 1)
                    high = max(high, stack)
        at += high + 2 * _PAD
    return tops, at


def _scene(lane: _Lane, tops: dict[Band, float]) -> Scene:
    placed = list(lane.boxes)
    for (band, at), nodes in lane.cells.items():
        y = tops[band] + _PAD
        for node in nodes:
            placed[node] = replace(placed[node], x=lane.x[at], y=y)
            y += placed[node].h + _GAP_Y
    columns = Columns(placed)
    wires = [
        Wire(u, v, route(columns, placed[u], placed[v]), straight=True)
        for u, v in sorted(lane.view.dag.edges)
        if not is_shared_input(lane.view, u)
    ]
    high = max((box.y + box.h for box in placed), default=0.0)
    boxes = tuple(sorted(placed, key=lambda box: (box.y, box.x)))
    return Scene(lane.view.title, lane.width, high, boxes, tuple(wires))


def _paper(wide: float, high: float) -> tuple[tuple[float, float], float]:
    """The smallest sheet on which text stays readable; beyond A3 the sheet grows."""
    frame = 2 * MARGIN, 2 * MARGIN + HEAD + FOOT + 20.0
    for sheet in (A4, A3):
        fits = [
            (min((p[0] - frame[0]) / wide, (p[1] - frame[1]) / high), p)
            for p in (sheet, sheet[::-1])
        ]
        scale, paper = max(fits)
        if scale >= LEAST_SCALE:
            return paper, min(scale, _LARGEST)
    return (wide * LEAST_SCALE + frame[0], high * LEAST_SCALE + frame[1]), LEAST_SCALE


def _draw_bands(
    page: Page, bands: Sequence[Band], tops: dict[Band, float], scale: float, top: float
) -> None:
    """Alternating stripes with their stride at the left."""
    ends = [*(tops[band] for band in bands[1:]), None]
    for at, (band, end) in enumerate(zip(bands, ends, strict=True)):
        y = top + tops[band] * scale
        low = top + end * scale if end is not None else page.size[1] - MARGIN - FOOT - 12.0
        if at % 2 == 0:
            wide = page.size[0] - 2 * MARGIN
            page.bars.append(Bar(MARGIN, y, wide, low - y, palette.STRIPE))
        label = "no H, W" if band is None else f"stride {band}"
        page.texts.append(Text(MARGIN + 3, y + 11, label, max(6.5, 7 * scale), True, palette.FAINT))


def _room(lanes: Sequence[_Lane], lane: _Lane, scale: float, spare: float) -> float:
    return (lane.width + (PAIR_GUTTER if len(lanes) > 1 else 200.0)) * scale + spare / 2 - 12


def _headline(lane: _Lane, x: float, y: float, room: float) -> Iterator[Text]:
    """The name and the size of a program."""
    side = lane.side
    name = f"{side.role}: {side.name}" if side.role else side.name
    yield Text(x, y + 8, shorten(name, 10, room, True), 10, True)
    size = side.figures.size
    if size is None:
        return
    yield Text(x, y + 19, shorten(size_text(size), 7.5, room), 7.5)
    if side.version is not None and side.version.side == 1:
        text = compared_text(side.version.other.size, size)
        yield Text(x, y + 29, shorten(text, 7.5, room), 7.5, True)
    if side.figures.pruned is not None:
        text = f"after pruning: {size_text(side.figures.pruned)}"
        yield Text(x, y + 29, shorten(text, 7.5, room), 7.5)


def _counts(drawing: Drawing) -> Iterator[str]:
    for side in drawing.sides:
        at = "" if _fixed(side) else "; multiply-adds at 608×608"
        yield f"{side.role}: {side.counts()}{at}" if side.role else f"{side.counts()}{at}"


def _fixed(side: Side) -> bool:
    """Whether every input declares its height and width."""
    shapes = [
        side.program.shape(item.name) for item in side.fold.graph.items if item.kind == "input"
    ]
    return all(shape is None or len(shape) != 4 or min(shape[1:]) > 0 for shape in shapes)
