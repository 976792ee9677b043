"""Boxes: the words of a node set in a rectangle, measured with the metrics of their font."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from graphprobe.drawing.labels import Words
from graphprobe.drawing.layout.layout_graph import LayoutGraph
from graphprobe.drawing.marks import SILENT, WORD_COLOURS
from graphprobe.drawing.text import shorten, width

TITLE, SMALL, MIN_TEXT = 8.0, 7.0, 6.0
_TITLE_STEP, _SMALL_STEP = 10.0, 8.6
_PAD, _BAND = 4.0, 5.0
_MIN_WIDTH = 64.0
# A chip is a square with its gap, a word, and a gap to the next one.
_CHIP_GAP = 5.5
_CHIP = 7.5 + _CHIP_GAP


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
    if not words.statuses:
        return []
    counted = Counter(words.statuses)
    return [(word, counted[word]) for word in WORD_COLOURS if counted[word] and word not in SILENT]


def _chips(words: Words) -> tuple[tuple[str, str], ...]:
    if words.shares:
        known = [(word, share) for word, share in words.shares if word not in SILENT]
        return tuple((f"{share:.0%} {word}", WORD_COLOURS[word]) for word, share in known)
    alone = len(words.statuses) == 1
    return tuple(
        (word if alone else f"{count} {word}", WORD_COLOURS[word]) for word, count in _known(words)
    )


def _band(words: Words) -> tuple[tuple[str, float], ...]:
    if words.shares:
        return tuple((WORD_COLOURS[word], share) for word, share in words.shares)
    total = len(words.statuses)
    if not total:
        return ()
    counted = Counter(words.statuses)
    return tuple((WORD_COLOURS[w], counted[w] / total) for w in WORD_COLOURS if counted[w])
