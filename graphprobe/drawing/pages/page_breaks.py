"""Break a scene into slices that fit a page; what crosses a page break becomes tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphprobe.drawing.layout.boxes import Box
from graphprobe.drawing.layout.scene import Scene, Tag, Wire, tags_of


def break_scene(scene: Scene, height: float) -> list[Scene]:
    """Break a scene between rows into slices of at most `height`; broken wires become tags."""
    starts = row_starts(scene, height)
    if len(starts) < 2:
        return [scene]
    slices = []
    for k, first in enumerate(starts):
        last = (starts[k + 1] if k + 1 < len(starts) else len(scene.rows)) - 1
        slices.append((scene.rows[first][0], scene.rows[last][1]))
    return _slices(scene, slices)


def row_starts(scene: Scene, height: float) -> list[int]:
    """The first row of each slice that `break_scene` would make."""
    starts = [0]
    for at, (_, bottom) in enumerate(scene.rows):
        if bottom - scene.rows[starts[-1]][0] > height and at > starts[-1]:
            starts.append(at)
    return starts


def _slices(scene: Scene, extents: Sequence[tuple[float, float]]) -> list[Scene]:
    slice_of = {
        box.node: next(k for k, (top, low) in enumerate(extents) if top - 1 <= box.y <= low + 1)
        for box in scene.boxes
    }
    by_node = {box.node: box for box in scene.boxes}
    crossing = [
        (w.source, w.target) for w in scene.wires if slice_of[w.source] != slice_of[w.target]
    ]
    highest = max(by_node, default=-1) + 1
    dense = [by_node.get(n) for n in range(highest)]
    tags = [*scene.tags, *tags_of(dense, crossing)]  # type: ignore[arg-type]
    found = []
    for k, (top, low) in enumerate(extents):
        boxes = [box for box in scene.boxes if slice_of[box.node] == k]
        wires = [w for w in scene.wires if slice_of[w.source] == k == slice_of[w.target]]
        mine = [t for t in tags if slice_of[t.node] == k]
        found.append(_moved(scene, boxes, wires, mine, top, low))
    return found


def _moved(
    scene: Scene, boxes: list[Box], wires: list[Wire], tags: list[Tag], top: float, low: float
) -> Scene:
    xs = [box.x for box in boxes] + [x for w in wires for x, _ in w.points]
    right = max([box.x + box.w for box in boxes] + [x for w in wires for x, _ in w.points])
    left = min(xs)
    return Scene(
        scene.title,
        right - left,
        low - top,
        tuple(replace(box, x=box.x - left, y=box.y - top) for box in boxes),
        tuple(replace(w, points=tuple((x - left, y - top) for x, y in w.points)) for w in wires),
        tuple(replace(t, x=t.x - left, y=t.y - top) for t in tags),
    )
