"""Numbers as colour: what each node costs or holds, on a scale that a colour bar explains.

One hue from white to orange, so that the order of lightness alone shows more and less, in
grey print and to colour-blind eyes. Colours follow the square root of the value: costs differ by
orders of magnitude, and small ones should not all be white.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from graphprobe.drawing.figures import Figures, short
from graphprobe.ir import Op

ColourBy: TypeAlias = Literal["status", "flops", "params", "channels", "latency", "sensitivity"]
COLOUR_KEYS: tuple[ColourBy, ...] = get_args(ColourBy)
TITLES: Mapping[str, str] = {
    "flops": "multiply-adds",
    "params": "parameters",
    "channels": "output channels of the widest convolution",
    "latency": "latency in ms",
    "sensitivity": "share of the metric that pruning costs",
}
MEASURED = ("latency", "sensitivity")  # only where a table was given
UNKNOWN = "#dadce0"
SCALE = (
    (0.0, (0xFF, 0xFF, 0xFF)),
    (0.25, (0xFF, 0xF1, 0xD6)),
    (0.5, (0xFD, 0xDF, 0xAE)),
    (0.75, (0xFB, 0xC2, 0x7A)),
    (1.0, (0xF2, 0x9D, 0x49)),
)


@dataclass(frozen=True, slots=True)
class ColourBar:
    """What explains the colours of a page: the number shown, and the value of the darkest."""

    title: str
    top: float

    def ticks(self) -> list[tuple[float, str]]:
        """Positions from 0 to 1 and the values that they stand for."""
        return [(at, short(at * at * self.top)) for at in (0.0, 0.25, 0.5, 0.75, 1.0)]


@dataclass(slots=True)
class Overlay:
    """The colours of all nodes of a drawing.

    Args:
        key: which number; ``status`` colours nothing but the prune bands.
        tops: level -> the largest value of a node there, of all programs.
    """

    key: ColourBy = "status"
    tops: dict[str, float] = field(default_factory=dict)

    def bar(self, level: str) -> ColourBar | None:
        """The colour bar of a page of that level; None where nothing is coloured."""
        if self.key == "status":
            return None
        return ColourBar(TITLES[self.key], self.tops.get(level, 0.0))

    def colours(
        self, level: str, figures: Figures, groups: Iterable[Sequence[Op]]
    ) -> list[str | None]:
        """A fill for each group of ops; None leaves the fill that its kind has."""
        values = [value_of(self.key, figures, ops) if ops else 0.0 for ops in groups]
        top = self.tops.get(level, 0.0)
        return [UNKNOWN if v is None else colour_at((v / top) ** 0.5) if v and top else None
                for v in values]  # fmt: skip


def value_of(key: str, figures: Figures, ops: Sequence[Op]) -> float | None:
    """The number of a node; None where an op in it cannot be counted."""
    found = _VALUES[key](figures, ops)
    return None if found is None else float(found)


def _flops(figures: Figures, ops: Sequence[Op]) -> float | None:
    if any(op.id in figures.uncounted for op in ops):
        return None
    return sum(figures.flops.get(op.id, 0) for op in ops)


def _params(figures: Figures, ops: Sequence[Op]) -> float | None:
    return sum(figures.params.get(op.id, 0) for op in ops)


def _channels(figures: Figures, ops: Sequence[Op]) -> float | None:
    return max((figures.channels.get(op.id, 0) for op in ops), default=0)


def _latency(figures: Figures, ops: Sequence[Op]) -> float | None:
    return _table(figures, "latency", figures.latency, ops, sum)


def _sensitivity(figures: Figures, ops: Sequence[Op]) -> float | None:
    return _table(figures, "sensitivity", figures.sensitivity, ops, max)


def _table(
    figures: Figures,
    key: str,
    table: Mapping[int, float],
    ops: Sequence[Op],
    join: Callable[[list[float]], float],
) -> float | None:
    """What was measured of some ops; None where they have layers and none was measured."""
    found = [table[op.id] for op in ops if op.id in table]
    if found:
        return max(0.0, join(found))
    lacking = figures.unmeasured.get(key, frozenset())
    return None if any(op.id in lacking for op in ops) else 0.0


_VALUES: Mapping[str, Callable[[Figures, Sequence[Op]], float | None]] = {
    "flops": _flops,
    "params": _params,
    "channels": _channels,
    "latency": _latency,
    "sensitivity": _sensitivity,
}


def colour_at(share: float) -> str:
    """The colour of a position on the scale, from 0 to 1."""
    at = min(max(share, 0.0), 1.0)
    for (low, a), (high, b) in zip(SCALE, SCALE[1:], strict=False):
        if at <= high:
            t = (at - low) / (high - low)
            mixed = (round(x + (y - x) * t) for x, y in zip(a, b, strict=True))
            return "#" + "".join(f"{part:02x}" for part in mixed)
    return "#{:02x}{:02x}{:02x}".format(*SCALE[-1][1])
