"""Paint pages with six strokes; a format only has to know how to make those."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from graphprobe.drawing import palette
from graphprobe.drawing.layout.boxes import SMALL, TITLE, Box
from graphprobe.drawing.layout.routes import curve
from graphprobe.drawing.layout.scene import Point
from graphprobe.drawing.marks import PAIR, WORD_COLOURS, WORD_MEANING
from graphprobe.drawing.overlay import colour_at
from graphprobe.drawing.pages.sheet import FOOT, MARGIN, Link, Page, Placed
from graphprobe.drawing.text import shorten, width

_NOTE = 6.5


class Brush(Protocol):
    """What a format can do. The origin is the top left corner; sizes are points."""

    def text(
        self, x: float, y: float, text: str, size: float, colour: str, bold: bool = False
    ) -> None:
        """Write a line; y is the baseline."""

    def box(self, x: float, y: float, w: float, h: float, fill: str, frame: str) -> None:
        """A box with rounded corners."""

    def bar(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        """A filled rectangle without a frame."""

    def curve(self, points: Sequence[Point], colour: str, line: float, dashed: bool) -> None:
        """A smooth line through points, leaving and arriving vertically."""

    def line(self, points: Sequence[Point], colour: str, line: float, dashed: bool = False) -> None:
        """Straight lines from point to point."""

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A filled polygon without a frame."""


class _Zoomed:
    """A brush that moves and shrinks."""

    def __init__(self, brush: Brush, x: float, y: float, scale: float) -> None:
        self._brush, self._x, self._y, self._k = brush, x, y, scale

    def text(
        self, x: float, y: float, text: str, size: float, colour: str, bold: bool = False
    ) -> None:
        x, y = self._at(x, y)
        self._brush.text(x, y, text, size * self._k, colour, bold)

    def box(self, x: float, y: float, w: float, h: float, fill: str, frame: str) -> None:
        self._brush.box(*self._at(x, y), w * self._k, h * self._k, fill, frame)

    def bar(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        self._brush.bar(*self._at(x, y), w * self._k, h * self._k, fill)

    def curve(self, points: Sequence[Point], colour: str, line: float, dashed: bool) -> None:
        self._brush.curve([self._at(*p) for p in points], colour, line * self._k, dashed)

    def line(self, points: Sequence[Point], colour: str, line: float, dashed: bool = False) -> None:
        self._brush.line([self._at(*p) for p in points], colour, line * self._k, dashed)

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        self._brush.polygon([self._at(*p) for p in points], fill)

    def _at(self, x: float, y: float) -> Point:
        return self._x + x * self._k, self._y + y * self._k


def paint_page(brush: Brush, page: Page, title: str, number: str = "") -> None:
    """Paint a whole page.

    Args:
        brush: of the format.
        page: what to paint.
        title: the name of the programs, at the top.
        number: which page this is, at the bottom.
    """
    for bar in page.bars:
        brush.bar(bar.x, bar.y, bar.w, bar.h, bar.colour)
    _frame(brush, page, title, number)
    for link in page.links:
        _link(brush, link)
    for placed in page.placed:
        _scene(_Zoomed(brush, placed.x, placed.y, placed.scale), placed)
    for text in page.texts:
        brush.text(text.x, text.y, text.text, text.size, text.colour, text.bold)
    for link in page.links:
        _link_label(brush, link)


def _link(brush: Brush, link: Link) -> None:
    """A dashed line that leaves and arrives horizontally."""
    (x1, y1), (x2, y2) = link.points[0], link.points[-1]
    middle = (x1 + x2) / 2
    points = curve((x1, y1), (middle, y1), (middle, y2), (x2, y2))
    brush.line(points, PAIR, 1.1, dashed=True)


def _link_label(brush: Brush, link: Link) -> None:
    (x1, _), (x2, _) = link.points[0], link.points[-1]
    wide = width(link.text, SMALL, True)
    x = (link.label_x if link.label_x is not None else (x1 + x2) / 2) - wide / 2
    y = link.label_y + link.shift
    brush.bar(x - 2, y - SMALL / 2 - 1, wide + 4, SMALL + 2, palette.PAPER)
    brush.text(x, y + SMALL * 0.36, link.text, SMALL, PAIR, True)


def _frame(brush: Brush, page: Page, title: str, number: str) -> None:
    """Heading, legend, notes and page number."""
    wide, high = page.size
    room = wide - 2 * MARGIN
    brush.text(
        MARGIN,
        MARGIN + 8,
        shorten(title, 11, room - (330 if page.colour_bar else 0), True),
        11,
        palette.INK,
        True,
    )
    brush.text(MARGIN, MARGIN + 20, shorten(page.heading, 9, room), 9, palette.FAINT)
    # Below the lowest box stands the tag that shows where its edges go on.
    notes = page.notes[:4]
    top = high - MARGIN - FOOT + 15 - 8.5 * max(0, len(notes) - 2)
    _legend(brush, page, MARGIN, top)
    _colour_bar(brush, page, MARGIN - 6)
    for at, note in enumerate(notes):
        y = top + 10 + 8.5 * at
        brush.text(MARGIN, y, shorten(note, _NOTE, room - 60), _NOTE, palette.FAINT)
    brush.text(
        wide - MARGIN - width(number, _NOTE), high - MARGIN + 3, number, _NOTE, palette.FAINT
    )


def _colour_bar(brush: Brush, page: Page, y: float) -> None:
    """The scale of the fills, at the right above the key."""
    bar = page.colour_bar
    if bar is None:
        return
    wide, x = 120.0, page.size[0] - MARGIN - 140.0
    for step in range(40):
        brush.bar(x + wide * step / 40, y, wide / 40 + 0.2, 6, colour_at((step + 0.5) / 40))
    for at, text in bar.ticks():
        brush.text(x + wide * at - width(text, _NOTE) / 2, y + 13, text, _NOTE, palette.FAINT)
    title = f"{bar.title} (grey: not known)"
    brush.text(x - width(title, _NOTE) - 14, y + 6, title, _NOTE, palette.INK)


def _legend(brush: Brush, page: Page, x: float, y: float) -> None:
    used = {colour for p in page.placed for box in p.scene.boxes for colour, _ in box.band}
    for word, colour in WORD_COLOURS.items():
        text = f"{word}: {WORD_MEANING[word]}"
        if colour not in used or x + width(text, _NOTE) + 20 > page.size[0] - MARGIN:
            continue
        brush.bar(x, y - 5.5, 6, 6, colour)
        brush.text(x + 8, y, text, _NOTE, palette.INK)
        x += width(text, _NOTE) + 20


def _scene(brush: Brush, placed: Placed) -> None:
    scene = placed.scene
    for wire in scene.wires:
        if wire.straight:
            brush.line(wire.points, palette.WIRE, 0.7)
        else:
            brush.curve(wire.points, palette.WIRE, 0.7, False)
    for wire in scene.wires:
        before = wire.points[-2] if wire.straight else (wire.points[-1][0], wire.points[-1][1] - 1)
        _arrow(brush, before, wire.points[-1], 4.5)
    for tag in scene.tags:
        brush.text(tag.x, tag.y, tag.text, SMALL, palette.FAINT)
    for box in scene.boxes:
        _box(brush, box)


def _arrow(brush: Brush, before: Point, tip: Point, size: float) -> None:
    """An arrow head at `tip`, pointing away from `before`."""
    dx, dy = tip[0] - before[0], tip[1] - before[1]
    length = math.hypot(dx, dy) or 1.0
    dx, dy = dx / length * size, dy / length * size
    base = tip[0] - dx, tip[1] - dy
    sides = ((base[0] - dy / 2, base[1] + dx / 2), (base[0] + dy / 2, base[1] - dx / 2))
    brush.polygon((tip, *sides), palette.WIRE)


def _box(brush: Brush, box: Box) -> None:
    brush.box(box.x, box.y, box.w, box.h, box.fill or palette.FILL[box.kind],
              palette.FRAME[box.kind])  # fmt: skip
    at = box.y + 1
    for colour, share in box.band:
        brush.bar(box.x + 0.6, at, 4, (box.h - 2) * share, colour)
        at += (box.h - 2) * share
    x, y = box.x + 9, box.y + 4 + TITLE - 1
    brush.text(x, y, box.number, SMALL, palette.INK if box.fill else palette.FAINT)
    brush.text(x + width(box.number + "  ", SMALL), y, box.title, TITLE, palette.INK, True)
    _badges(brush, box, y)
    for at_, line in enumerate(box.lines):
        y += 8.6
        brush.text(x, y, line, SMALL, palette.FAINT if at_ and not box.fill else palette.INK)
    for chip in box.chips:
        base = y + 8.6 * (chip.row + 1)
        brush.bar(x + chip.x, base - 5.5, 5.5, 5.5, chip.colour)
        brush.text(x + chip.x + 7.5, base, chip.text, SMALL, palette.INK)


def _badges(brush: Brush, box: Box, y: float) -> None:
    right = box.x + box.w - 4
    for badge in reversed(box.badges):
        right -= width(badge, SMALL, True)
        brush.text(right, y, badge, SMALL, PAIR, True)
        right -= 4
