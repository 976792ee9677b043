"""A scene: boxes, wires and tags with coordinates in points, made once and painted by renderers.

The origin is the top left corner; y grows downwards. No text is smaller than `SMALL` points;
renderers that shrink a scene must not go below `MIN_TEXT`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphprobe.drawing.labels import Words
from graphprobe.drawing.layout.dot_engine import dot_layout
from graphprobe.drawing.layout.layered import Layout, layered
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.drawing.marks import COLOURS
from graphprobe.drawing.text import shorten, width

TITLE, SMALL, MIN_TEXT = 8.0, 7.0, 6.0
_TITLE_STEP, _SMALL_STEP = 10.0, 8.6
_PAD, _BAND = 4.0, 5.0
_GAP_X, GAP_Y = 12.0, 19.0
_MIN_WIDTH = 64.0
_MAX_TAGS = 6
# A chip is a square with its gap, a word, and a gap to the next one.
_CHIP_GAP = 5.5
_CHIP = 7.5 + _CHIP_GAP

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Chip:
    """A prune status in a box.

    Args:
        text: the word with a count or a share.
        colour: of the word and its square.
        x: from the left edge of the box's text.
        row: 0 for the first row of chips.
    """

    text: str
    colour: str
    x: float
    row: int


@dataclass(frozen=True, slots=True)
class Box:
    """One node.

    Args:
        node: its number in the view.
        x, y, w, h: its place.
        number: what other pages call it.
        title: shortened to fit.
        lines: shortened to fit.
        chips: the prune statuses inside.
        band: (colour, share) of the stripe at the left edge.
        badges: pairs that end here.
        kind: ``input``, ``output``, ``conv``, ``op`` or ``port``.
        fill: a colour in place of that of the kind.
    """

    node: int
    x: float
    y: float
    w: float
    h: float
    number: str
    title: str
    lines: tuple[str, ...]
    chips: tuple[Chip, ...]
    band: tuple[tuple[str, float], ...]
    badges: tuple[str, ...]
    kind: str
    fill: str | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge along points; `source` and `target` are nodes of the view.

    `straight`: the points are joined by straight lines, not by curves.
    """

    source: int
    target: int
    points: tuple[Point, ...]
    straight: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """A few words that stand for edges which are not drawn: where they go or come from."""

    node: int
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything to paint.

    Args:
        title: of the view.
        width, height: of the whole.
        boxes: top to bottom.
        wires: between boxes.
        tags: stand-ins for long edges.
        rows: top and bottom of each layer; a scene may be cut between rows.
        notes: what was left out.
    """

    title: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...] = ()
    tags: tuple[Tag, ...] = ()
    rows: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()


def make_scene(
    view: LayoutGraph,
    *,
    max_width: float,
    max_box: float = 190.0,
    max_span: int = 30,
    strict: bool = False,
) -> Scene:
    """Lay out a view.

    Args:
        view: what to draw.
        max_width: of the scene, in points; kept but for way points.
        max_box: the widest box.
        max_span: edges over more layers become tags.
        strict: keep the layers from drifting apart over more than `max_width`.

    Raises:
        GraphprobeError: the view is for ``dot``, which is not installed or fails.
    """
    if view.engine == "dot":
        return _dot_scene(view, [make_box(view, node, max_box) for node in range(len(view.words))])
    boxes, layout = lay_out(
        view, max_width=max_width, max_box=max_box, max_span=max_span, strict=strict
    )
    tops, rows = _rows(layout, boxes)
    placed = [replace(box, x=layout.x[at] - box.w / 2, y=tops[at]) for at, box in enumerate(boxes)]
    wires = [_wire(layout, placed, rows, u, v) for u, v in sorted(layout.grid.routes)]
    order = sorted(placed, key=lambda box: (box.y, box.x))
    height = rows[-1][1] if rows else 0.0
    return Scene(
        view.title,
        layout.width,
        height,
        tuple(order),
        tuple(wires),
        tuple(tags_of(placed, layout.grid.long)),
        tuple(rows),
        tuple(view.notes),
    )


def _dot_scene(view: LayoutGraph, boxes: Sequence[Box]) -> Scene:
    found = dot_layout(view.dag, [(box.w, box.h) for box in boxes], (_GAP_X, GAP_Y))
    placed = [
        replace(box, x=x - box.w / 2, y=y - box.h / 2)
        for box, (x, y) in zip(boxes, found.centres, strict=True)
    ]
    rows: dict[float, float] = {}  # the boxes of a rank have one centre
    for box, (_, y) in zip(boxes, found.centres, strict=True):
        rows[y] = max(rows.get(y, 0.0), box.h)
    wires = [Wire(u, v, points, straight=True) for (u, v), points in sorted(found.lines.items())]
    return Scene(
        view.title,
        found.width,
        found.height,
        tuple(sorted(placed, key=lambda box: (box.y, box.x))),
        tuple(wires),
        rows=tuple((y - high / 2, y + high / 2) for y, high in sorted(rows.items())),
        notes=tuple(view.notes),
    )


def lay_out(
    view: LayoutGraph, *, max_width: float, max_box: float, max_span: int, strict: bool = False
) -> tuple[list[Box], Layout]:
    """Sizes and layers, before heights are known; the arguments are those of `make_scene`."""
    boxes = [make_box(view, node, max_box) for node in range(len(view.words))]
    widths = [box.w for box in boxes]
    return boxes, layered(view.dag, widths, _GAP_X, max_width, max_span, strict=strict)


def make_box(view: LayoutGraph, node: int, max_box: float) -> Box:
    """The box of a node, without a place: as wide as its words, at most `max_box`."""
    words = view.words[node]
    statuses = _chips(words)
    label = f"{view.numbers[node]}  "
    badges = view.badges[node]
    extra = width(label + "  ".join(("", *badges)), SMALL) + (6.0 if badges else 0.0)
    wide = max(
        width(words.title, TITLE, True) + extra,
        *(width(line, SMALL) for line in words.lines),
        sum(width(text, SMALL) + _CHIP for text, _ in statuses) - _CHIP_GAP,
        _MIN_WIDTH - 2 * _PAD - _BAND,
    )
    inner = min(wide, max_box - 2 * _PAD - _BAND)
    lines = tuple(shorten(line, SMALL, inner) for line in words.lines)
    chips = _flow(statuses, inner)
    rows = len(lines) + (chips[-1].row + 1 if chips else 0)
    height = 2 * _PAD + _TITLE_STEP + _SMALL_STEP * rows - 1.5
    return Box(
        node, 0.0, 0.0, round(inner + 2 * _PAD + _BAND + 0.5, 1), height, view.numbers[node],
        shorten(words.title, TITLE, inner - extra, True), lines, chips, _band(words),
        badges, words.kind, words.fill,
    )  # fmt: skip


def _flow(statuses: Sequence[tuple[str, str]], room: float) -> tuple[Chip, ...]:
    """Chips from left to right, in as many rows as they take."""
    found: list[Chip] = []
    x, row = 0.0, 0
    for text, colour in statuses:
        shown = shorten(text, SMALL, room - _CHIP + _CHIP_GAP)
        wide = width(shown, SMALL) + _CHIP
        if x and x + wide - _CHIP_GAP > room + 0.01:
            x, row = 0.0, row + 1
        found.append(Chip(shown, colour, round(x, 2), row))
        x += wide
    return tuple(found)


def _known(words: Words) -> list[tuple[str, int]]:
    counted = Counter(words.statuses)
    return [(word, counted[word]) for word in COLOURS if counted[word] and word != "unknown"]


def _chips(words: Words) -> tuple[tuple[str, str], ...]:
    if words.shares:
        known = [(word, share) for word, share in words.shares if word != "unknown"]
        return tuple((f"{share:.0%} {word}", COLOURS[word]) for word, share in known)
    alone = len(words.statuses) == 1
    return tuple(
        (word if alone else f"{count} {word}", COLOURS[word]) for word, count in _known(words)
    )


def _band(words: Words) -> tuple[tuple[str, float], ...]:
    if words.shares:
        return tuple((COLOURS[word], share) for word, share in words.shares)
    total = len(words.statuses)
    counted = Counter(words.statuses)
    return tuple((COLOURS[w], counted[w] / total) for w in COLOURS if counted[w])


def _rows(layout: Layout, boxes: Sequence[Box]) -> tuple[list[float], list[tuple[float, float]]]:
    """The top of each box (centred in its layer) and the extent of each layer."""
    tops = [0.0] * len(boxes)
    rows: list[tuple[float, float]] = []
    at = 0.0
    for row in layout.grid.layers:
        nodes = [n for n in row if n < len(boxes)]
        high = max((boxes[n].h for n in nodes), default=0.0)
        for n in nodes:
            tops[n] = at + (high - boxes[n].h) / 2
        rows.append((at, at + high))
        at += high + GAP_Y
    return tops, rows


def _wire(
    layout: Layout,
    boxes: Sequence[Box],
    rows: Sequence[tuple[float, float]],
    u: int,
    v: int,
) -> Wire:
    start, end = boxes[u], boxes[v]
    points: list[Point] = [(start.x + start.w / 2, start.y + start.h)]
    for point in layout.grid.routes[u, v]:
        top, bottom = rows[layout.grid.row_of[point]]
        points += [(layout.x[point], top), (layout.x[point], bottom)]
    points.append((end.x + end.w / 2, end.y))
    return Wire(u, v, tuple(points))


def tags_of(boxes: Sequence[Box], edges: Sequence[tuple[int, int]]) -> list[Tag]:
    """A tag at each end of edges that are not drawn, naming the nodes at their other ends."""
    leaving: dict[int, list[str]] = {}
    coming: dict[int, list[str]] = {}
    for u, v in sorted(edges):
        leaving.setdefault(u, []).append(boxes[v].number)
        coming.setdefault(v, []).append(boxes[u].number)
    tags = [
        Tag(n, boxes[n].x + boxes[n].w / 2 + 3, boxes[n].y + boxes[n].h + SMALL, f"→ {_some(to)}")
        for n, to in leaving.items()
    ]
    return tags + [
        Tag(n, boxes[n].x + boxes[n].w / 2 + 3, boxes[n].y - 3, f"{_some(of)} →")
        for n, of in coming.items()
    ]


def _some(numbers: Sequence[str]) -> str:
    shown = ", ".join(numbers[:_MAX_TAGS])
    return shown if len(numbers) <= _MAX_TAGS else f"{shown} +{len(numbers) - _MAX_TAGS}"
