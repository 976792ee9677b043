"""Lines that join the two ends of a pair on a page, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.layout.boxes import SMALL, Box
from graphprobe.drawing.pages.sheet import Link, Placed
from graphprobe.drawing.text import shorten

# Between student and teacher: room for the labels.
PAIR_GUTTER = 128.0


def pair_links(drawing: Drawing, placed: Sequence[Placed]) -> list[Link]:
    """A line for each pair whose two boxes are on the page, student left and teacher right."""
    ends: dict[str, list[tuple[Placed, Box]]] = {}
    for where in placed:
        for box in where.scene.boxes:
            for badge in box.badges:
                ends.setdefault(badge, []).append((where, box))
    links = []
    for number, pair in enumerate(drawing.pairs, 1):
        found = ends.get(f"P{number}", [])
        if len(found) != 2:
            continue
        (left, a), (right, b) = found
        start = (left.x + (a.x + a.w) * left.scale, left.y + (a.y + a.h / 2) * left.scale)
        end = (right.x + b.x * right.scale, right.y + (b.y + b.h / 2) * right.scale)
        # The band shows the stride already.
        label = f"P{number} {pair.role.split(',')[0]}: {pair.term}"
        room = 0.96 * PAIR_GUTTER * left.scale
        middle = right.x - PAIR_GUTTER * left.scale / 2
        links.append(Link((start, end), shorten(label, SMALL, room, True), middle))
    return _apart(links)


def _apart(links: list[Link]) -> list[Link]:
    """Labels of lines that run close together move up and down until none hides another."""
    found: list[Link] = []
    for link in sorted(links, key=lambda k: k.label_y):
        low = found[-1].label_y + SMALL + 3 if found else link.label_y
        found.append(replace(link, shift=max(0.0, low - link.label_y)))
    return found
