"""A scene: boxes, wires and tags with coordinates in points, made once and painted by renderers.

The origin is the top left corner; y grows downwards. No text is smaller than
`boxes.SMALL` points; renderers that shrink a scene must not go below `boxes.MIN_TEXT`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphprobe.drawing.layout.boxes import SMALL, Box, make_box
from graphprobe.drawing.layout.dot_engine import dot_layout
from graphprobe.drawing.layout.layered import Layout, layered
from graphprobe.drawing.layout.layout_graph import LayoutGraph

_GAP_X, GAP_Y = 12.0, 19.0
_MAX_TAGS = 6

Point = tuple[float, float]


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
        rows: top and bottom of each layer; a page may break between rows.
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
