"""Lines between boxes that stand anywhere: they leave and arrive at the sides that face."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from graphprobe.drawing.layout.boxes import Box
from graphprobe.drawing.layout.scene import Point

_STEPS = 14
_NEAR = 4.0
_BULGE = 13.0
_GAP = 12.0


class Columns:
    """Boxes by their left edge, so that what stands between two of them is found without looking
    at them all."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._columns: dict[float, list[Box]] = {}
        for box in sorted(boxes, key=lambda box: box.y + box.h):
            self._columns.setdefault(box.x, []).append(box)
        self._ends = {x: [box.y + box.h for box in found] for x, found in self._columns.items()}

    def between(self, a: Box, b: Box) -> bool:
        """Whether a box stands between two boxes of one column, the second one below."""
        left, right = max(a.x, b.x), min(a.x + a.w, b.x + b.w)
        for x, column in self._columns.items():
            if x >= right:
                continue
            first = bisect_right(self._ends[x], a.y + a.h)
            last = bisect_right(self._ends[x], b.y)
            if any(c.x + c.w > left and c.node not in (a.node, b.node) for c in column[first:last]):
                return True
        return False


def route(columns: Columns, a: Box, b: Box) -> tuple[Point, ...]:
    """The points of a line from one box to another, by where the second one stands.

    Args:
        columns: all boxes; those that stand between two of one column are passed at the side.
        a, b: the boxes to join.
    """
    middle_a, middle_b = a.x + min(a.w, b.w) / 2, b.x + min(a.w, b.w) / 2
    below, above = b.y >= a.y + a.h + _NEAR, b.y + b.h + _NEAR <= a.y
    right, left = b.x >= a.x + a.w, b.x + b.w <= a.x
    half_a, half_b = a.y + a.h / 2, b.y + b.h / 2
    if not right and not left and (below or above):
        if below and not columns.between(a, b):
            low, half = a.y + a.h, (b.y - a.y - a.h) / 2
            return curve(
                (middle_a, low), (middle_a, low + half), (middle_b, b.y - half), (middle_b, b.y)
            )
        x = max(a.x + a.w, b.x + b.w) + _BULGE
        return curve((a.x + a.w, half_a), (x, half_a), (x, half_b), (b.x + b.w, half_b))
    if (below or above) and left:
        end = (b.x + b.w / 2, b.y if below else b.y + b.h)
        return curve((a.x, half_a), (end[0], half_a), (end[0], half_a), end)
    if right:
        # Up or down right before the box, between the columns.
        x = b.x - _GAP if below or above else (a.x + a.w + b.x) / 2
        return curve((a.x + a.w, half_a), (x, half_a), (x, half_b), (b.x, half_b))
    x = (a.x + b.x + b.w) / 2
    return curve((a.x, half_a), (x, half_a), (x, half_b), (b.x + b.w, half_b))


def curve(p: Point, q: Point, r: Point, s: Point) -> tuple[Point, ...]:
    """A cubic curve as short straight pieces."""
    found = []
    for k in range(_STEPS + 1):
        t = k / _STEPS
        w = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        found.append(
            (
                round(w[0] * p[0] + w[1] * q[0] + w[2] * r[0] + w[3] * s[0], 2),
                round(w[0] * p[1] + w[1] * q[1] + w[2] * r[1] + w[3] * s[1], 2),
            )
        )
    return tuple(found)
