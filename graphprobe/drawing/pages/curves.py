"""Curves of several runs over their iterations, a panel a figure, on one sheet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphprobe.drawing import palette
from graphprobe.drawing.figures import short
from graphprobe.drawing.pages.single import render_sheet
from graphprobe.drawing.paint import Brush
from graphprobe.drawing.text import shorten, width

# Distinct for most colour-blind readers (Okabe and Ito), and in grey by their order in the legend.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b6b6b", "#000000")
_WIDE, _MARGIN, _PLOT, _GAP, _SIZE = 640.0, 28.0, 190.0, 52.0, 8.0
_AXIS, _LEGEND_ROW, _HEAD = 46.0, 13.0, 18.0
_MARKED = 60  # points; a curve of more is drawn without dots


@dataclass(frozen=True, slots=True)
class Curve:
    """One run's values: points (x, y), x ascending."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """The curves of one figure; `logarithmic`: of the values, all of which are above 0."""

    title: str
    curves: tuple[Curve, ...]
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class CurveSheet:
    """Everything to paint. A run has the same colour in each panel, by its name."""

    title: str
    names: tuple[str, ...]
    panels: tuple[Panel, ...]
    x_title: str = "iterations"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        top = 2 * _MARGIN + _HEAD + _LEGEND_ROW * len(self.names)
        return _WIDE, top + (_PLOT + _GAP) * len(self.panels)

    def colour(self, name: str) -> str:
        """The colour of a run."""
        return COLOURS[self.names.index(name) % len(COLOURS)]


def render_curves(sheet: CurveSheet, kind: str) -> bytes:
    """The sheet as a whole file; `kind` is ``svg``, ``png`` or ``pdf``."""
    return render_sheet(lambda brush: paint_curves(brush, sheet), sheet.size, sheet.title, kind)


def paint_curves(brush: Brush, sheet: CurveSheet) -> None:
    """Paint the sheet with its top left corner at the origin."""
    room = _WIDE - 2 * _MARGIN
    brush.text(_MARGIN, _MARGIN + 8, shorten(sheet.title, 11, room, True), 11, palette.INK, True)
    y = _MARGIN + _HEAD
    for name in sheet.names:
        brush.bar(_MARGIN, y + 2, 14, 5, sheet.colour(name))
        brush.text(_MARGIN + 20, y + 8, shorten(name, _SIZE, room - 20), _SIZE, palette.INK)
        y += _LEGEND_ROW
    for panel in sheet.panels:
        _panel(brush, sheet, panel, y + 24)
        y += _PLOT + _GAP


def _panel(brush: Brush, sheet: CurveSheet, panel: Panel, top: float) -> None:
    left, right, bottom = _MARGIN + _AXIS, _WIDE - _MARGIN, top + _PLOT
    brush.text(left, top - 7, panel.title, 9, palette.INK, True)
    points = [point for curve in panel.curves for point in curve.points]
    if not points:
        brush.text(left + 8, top + 20, "nothing was recorded", _SIZE, palette.FAINT)
        return
    across = _Scale.over([x for x, _ in points], left, right, start=0.0)
    up = _Scale.over([y for _, y in points], bottom, top, logarithmic=panel.logarithmic)
    for value in up.ticks():
        y = up.at(value)
        brush.line([(left, y), (right, y)], "#e3e6ea", 0.6)
        text = short(value)
        brush.text(left - 5 - width(text, 7), y + 2.5, text, 7, palette.FAINT)
    for value in across.ticks():
        text = short(value)
        brush.text(across.at(value) - width(text, 7) / 2, bottom + 11, text, 7, palette.FAINT)
    end = width(sheet.x_title, 7)
    brush.text(right - end, bottom + 22, sheet.x_title, 7, palette.FAINT)
    brush.line([(left, bottom), (right, bottom)], palette.WIRE, 0.8)
    for curve in panel.curves:
        placed = [(across.at(x), up.at(y)) for x, y in curve.points]
        colour = sheet.colour(curve.name)
        if len(placed) > 1:
            brush.line(placed, colour, 1.3)
        for x, y in placed if len(placed) <= _MARKED else ():
            brush.bar(x - 1.6, y - 1.6, 3.2, 3.2, colour)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values -> points along one axis."""

    low: float
    high: float
    first: float
    last: float
    logarithmic: bool = False

    @classmethod
    def over(
        cls,
        values: Sequence[float],
        first: float,
        last: float,
        *,
        start: float | None = None,
        logarithmic: bool = False,
    ) -> _Scale:
        """The scale that holds all values, with some room around a single one."""
        low, high = min(values), max(values)
        logarithmic = logarithmic and low > 0 and high > 3 * low
        if logarithmic:
            return cls(math.log10(low), math.log10(high), first, last, True)
        if start is not None:
            low = min(low, start)
        if high - low < 1e-12 * max(1.0, abs(high)):
            low, high = low - max(abs(low) / 10, 0.01), high + max(abs(high) / 10, 0.01)
        return cls(low, high, first, last)

    def at(self, value: float) -> float:
        """Where a value stands."""
        place = math.log10(value) if self.logarithmic else value
        share = (place - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self) -> Iterator[float]:
        """Three to seven round values."""
        if self.logarithmic:
            yield from self._powers()
            return
        step = _round_up((self.high - self.low) / 6)
        number = math.ceil(self.low / step - 1e-9)
        while number * step <= self.high + 1e-9 * step:
            yield number * step
            number += 1

    def _powers(self) -> Iterator[float]:
        wide = self.high - self.low > 2
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for digit in (1,) if wide else (1, 2, 5):
                value = digit * 10.0**power
                if self.low - 1e-9 <= math.log10(value) <= self.high + 1e-9:
                    yield value


def _round_up(step: float) -> float:
    """The next of 1, 2, 5, 10, ... at a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * (1 - 1e-9))
