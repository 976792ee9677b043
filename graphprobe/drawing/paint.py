"""Paint pages with six strokes; a format only has to know how to make those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from graphprobe.drawing import palette
from graphprobe.drawing.layout.scene import SMALL, TITLE, Box, Point
from graphprobe.drawing.marks import COLOURS, MEANING, PAIR
from graphprobe.drawing.pages.sheet import FOOT, MARGIN, Page, Placed
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

    def line(self, points: Sequence[Point], colour: str, line: float) -> None:
        """Straight lines from point to point."""

    def arrow(self, x: float, y: float, size: float, colour: str) -> None:
        """An arrow head that points down at (x, y)."""


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

    def line(self, points: Sequence[Point], colour: str, line: float) -> None:
        self._brush.line([self._at(*p) for p in points], colour, line * self._k)

    def arrow(self, x: float, y: float, size: float, colour: str) -> None:
        self._brush.arrow(*self._at(x, y), size * self._k, colour)

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
    _frame(brush, page, title, number)
    for placed in page.placed:
        _scene(_Zoomed(brush, placed.x, placed.y, placed.scale), placed)
    for text in page.texts:
        brush.text(text.x, text.y, text.text, text.size, text.colour, text.bold)
    for link in page.links:
        brush.curve(link.points, PAIR, 1.1, True)


def _frame(brush: Brush, page: Page, title: str, number: str) -> None:
    """Heading, legend, notes and page number."""
    wide, high = page.size
    room = wide - 2 * MARGIN
    brush.text(MARGIN, MARGIN + 8, shorten(title, 11, room, True), 11, palette.INK, True)
    brush.text(MARGIN, MARGIN + 20, shorten(page.heading, 9, room), 9, palette.FAINT)
    # Below the lowest box stands the tag that says where its edges go on.
    top = high - MARGIN - FOOT + 15
    _legend(brush, page, MARGIN, top)
    for at, note in enumerate(page.notes[:2]):
        y = top + 10 + 8.5 * at
        brush.text(MARGIN, y, shorten(note, _NOTE, room - 60), _NOTE, palette.FAINT)
    brush.text(
        wide - MARGIN - width(number, _NOTE), high - MARGIN + 3, number, _NOTE, palette.FAINT
    )


def _legend(brush: Brush, page: Page, x: float, y: float) -> None:
    used = {colour for p in page.placed for box in p.scene.boxes for colour, _ in box.band}
    for word, colour in COLOURS.items():
        text = f"{word}: {MEANING[word]}"
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
        brush.arrow(*wire.points[-1], 4.5, palette.WIRE)
    for tag in scene.tags:
        brush.text(tag.x, tag.y, tag.text, SMALL, palette.FAINT)
    for box in scene.boxes:
        _box(brush, box)


def _box(brush: Brush, box: Box) -> None:
    brush.box(box.x, box.y, box.w, box.h, palette.FILL[box.kind], palette.FRAME[box.kind])
    at = box.y + 1
    for colour, share in box.band:
        brush.bar(box.x + 0.6, at, 4, (box.h - 2) * share, colour)
        at += (box.h - 2) * share
    x, y = box.x + 9, box.y + 4 + TITLE - 1
    brush.text(x, y, box.number, SMALL, palette.FAINT)
    brush.text(x + width(box.number + "  ", SMALL), y, box.title, TITLE, palette.INK, True)
    _badges(brush, box, y)
    for at_, line in enumerate(box.lines):
        y += 8.6
        brush.text(x, y, line, SMALL, palette.FAINT if at_ else palette.INK)
    for text, colour in box.chips:
        brush.bar(x, y + 3.1, 5.5, 5.5, colour)
        brush.text(x + 7.5, y + 8.6, text, SMALL, colour)
        x += width(text, SMALL) + 11


def _badges(brush: Brush, box: Box, y: float) -> None:
    right = box.x + box.w - 4
    for badge in reversed(box.badges):
        right -= width(badge, SMALL, True)
        brush.text(right, y, badge, SMALL, PAIR, True)
        right -= 4
