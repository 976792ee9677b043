"""A table of shares as a picture: a row a group, a column a ratio, the darker the larger.

Painted with the brushes of the formats, one page as large as it takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphprobe.drawing import palette
from graphprobe.drawing.pages.single import render_sheet
from graphprobe.drawing.paint import Brush
from graphprobe.drawing.text import shorten, width

_MARGIN, _HEAD, _ROW, _SIZE = 28.0, 72.0, 15.0, 8.0
_NAME, _CELL, _BAR, _GAP = 170.0, 46.0, 90.0, 12.0
# Share -> colour; between them colours are mixed. Small shares matter most, so they get most room.
_SCALE = (
    (0.0, (0xF4, 0xF8, 0xF4)),
    (0.02, (0xFF, 0xF3, 0xC9)),
    (0.10, (0xFE, 0xC9, 0x7A)),
    (0.30, (0xF0, 0x84, 0x4A)),
    (1.0, (0x9C, 0x1C, 0x1C)),
)
_WHITE_FROM = 0.3
_BAR_COLOUR = "#9db2cf"


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A group: its name, a word on its size, a share for each column (None: not there), and the
    share that its bar shows, from 0 to 1."""

    name: str
    size: str
    cells: tuple[float | None, ...]
    bar: float


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Everything to paint; `notes` stand below the title, `bar_title` above the bars."""

    title: str
    notes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    bar_title: str

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        wide = 2 * _MARGIN + _NAME + _CELL * len(self.columns) + _GAP + _BAR
        return max(wide, 420.0), 2 * _MARGIN + _HEAD + _ROW * (len(self.rows) + 2)


def render_heatmap(heatmap: HeatMap, kind: str) -> bytes:
    """The picture as a whole file; `kind` is ``png``, ``svg`` or ``pdf``."""
    return render_sheet(
        lambda brush: paint_heatmap(brush, heatmap), heatmap.size, heatmap.title, kind
    )


def colour_of(share: float) -> str:
    """The colour of a share; below 0 it is that of 0."""
    at = min(max(share, 0.0), 1.0)
    for (low, a), (high, b) in zip(_SCALE, _SCALE[1:], strict=False):
        if at <= high:
            t = (at - low) / (high - low)
            mixed = (round(x + (y - x) * t) for x, y in zip(a, b, strict=True))
            return "#" + "".join(f"{part:02x}" for part in mixed)
    return "#{:02x}{:02x}{:02x}".format(*_SCALE[-1][1])


def percent(share: float | None) -> str:
    """A share as people read it; empty where there is none."""
    if share is None:
        return ""
    text = f"{share:.1%}" if abs(share) < 0.0995 else f"{share:.0%}"
    return "0%" if text in ("0.0%", "-0.0%") else text


def paint_heatmap(brush: Brush, heatmap: HeatMap) -> None:
    """Paint it all."""
    wide, high = heatmap.size
    room = wide - 2 * _MARGIN
    brush.text(_MARGIN, _MARGIN + 8, shorten(heatmap.title, 11, room, True), 11, palette.INK, True)
    for at, note in enumerate(heatmap.notes[:3]):
        y = _MARGIN + 21 + 11 * at
        brush.text(_MARGIN, y, shorten(note, _SIZE, room), _SIZE, palette.FAINT)
    top = _MARGIN + _HEAD
    cells = _MARGIN + _NAME
    for at, column in enumerate(heatmap.columns):
        _centred(brush, cells + _CELL * (at + 0.5), top - 6, column, palette.INK, True)
    bars = cells + _CELL * len(heatmap.columns) + _GAP
    brush.text(bars, top - 6, heatmap.bar_title, _SIZE, palette.INK, True)
    longest = max((row.bar for row in heatmap.rows), default=0.0)
    for at, row in enumerate(heatmap.rows):
        _row(brush, row, top + _ROW * at, cells)
        _bar(brush, row.bar, longest, bars, top + _ROW * at)
    _legend(brush, _MARGIN, high - _MARGIN)


def _row(brush: Brush, row: HeatRow, y: float, cells: float) -> None:
    base = y + _ROW - 4.5
    size = width(row.size, 7.0)
    brush.text(_MARGIN, base, shorten(row.name, _SIZE, _NAME - size - 14), _SIZE, palette.INK)
    brush.text(cells - 8 - size, base, row.size, 7.0, palette.FAINT)
    for at, share in enumerate(row.cells):
        if share is None:
            continue
        x = cells + _CELL * at
        brush.bar(x, y, _CELL - 1, _ROW - 1, colour_of(share))
        ink = palette.PAPER if share > _WHITE_FROM else palette.INK
        _centred(brush, x + _CELL / 2, base, percent(share), ink)


def _bar(brush: Brush, share: float, longest: float, x: float, y: float) -> None:
    wide = (_BAR - 30) * share / max(longest, 1e-9)
    brush.bar(x, y + 2, max(wide, 0.3), _ROW - 5, _BAR_COLOUR)
    brush.text(x + wide + 4, y + _ROW - 4.5, percent(share), 7.0, palette.FAINT)


def _centred(brush: Brush, x: float, y: float, text: str, colour: str, bold: bool = False) -> None:
    brush.text(x - width(text, _SIZE, bold) / 2, y, text, _SIZE, colour, bold)


def _legend(brush: Brush, x: float, y: float) -> None:
    for share in (0.0, 0.02, 0.05, 0.1, 0.3, 0.5, 1.0):
        brush.bar(x, y - 7, 9, 9, colour_of(share))
        brush.text(x + 12, y, f"{share:.0%}", _SIZE, palette.FAINT)
        x += 46
