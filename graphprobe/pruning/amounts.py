"""How many channels stay, and lists of positions as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_PART = re.compile(r"(\d{1,12})(?:-(\d{1,12}))?")


def kept_channels(total: int, ratio: float, round_to: int = 1, min_channels: int = 1) -> int:
    """How many of `total` channels stay.

    ``round(total * ratio)`` go, as PaddleSlim counts, and at least one stays. The rest is then
    rounded to the nearest multiple of `round_to` (never more than `total`), and is never less
    than `min_channels`.
    """
    kept = max(1, total - round(total * ratio))
    if round_to > 1:
        nearest = max(1, (kept + round_to // 2) // round_to) * round_to
        kept = nearest if nearest <= total else total
    return min(total, max(kept, min_channels))


def ranges_text(starts: Iterable[tuple[int, int]], width: int = 1) -> str:
    """Stretches (first, length) of positions, each unit `width` wide, as ``0-31,64-95``.

    A width above 1 stands behind a slash: ``0-97/49`` are two units of 49 positions.
    """
    merged: list[list[int]] = []
    for first, length in starts:
        if merged and merged[-1][1] == first:
            merged[-1][1] = first + length
        else:
            merged.append([first, first + length])
    text = ",".join(str(a) if b - a == 1 else f"{a}-{b - 1}" for a, b in merged)
    return f"{text}/{width}" if width > 1 else text


def read_ranges(text: str) -> tuple[list[tuple[int, int]], int] | None:
    """The inverse of `ranges_text`: stretches and width; None where the text is no such list."""
    body, slash, behind = text.partition("/")
    if slash and not (behind.isascii() and behind.isdigit() and int(behind) > 0):
        return None
    found = []
    for part in body.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        if last < first:
            return None
        found.append((first, last - first + 1))
    width = int(behind) if slash else 1
    return (found, width) if all(length % width == 0 for _, length in found) else None


def units(stretches: Iterable[tuple[int, int]], width: int) -> Iterator[int]:
    """The first position of each unit, in order."""
    for first, length in stretches:
        yield from range(first, first + length, width)
