"""How wide a text is, in which of the shipped fonts each character is, and how to shorten it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

FONTS = Path(__file__).parent / "fonts"
FILES = {
    "regular": FONTS / "DejaVuSansCondensed.subset.ttf",
    "bold": FONTS / "DejaVuSansCondensed-Bold.subset.ttf",
    "cjk": FONTS / "DroidSansFallback.subset.ttf",
}
_WIDE = 0x2E80  # from here on characters are CJK and as wide as high


@cache
def font(name: str) -> Any:
    """A reportlab font, registered under ``graphprobe-NAME``."""
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    made = TTFont(f"graphprobe-{name}", str(FILES[name]))
    registerFont(made)
    return made


@cache
def _widths(name: str) -> dict[int, float]:
    found: dict[int, float] = font(name).face.charWidths
    return found


def clean(text: str) -> str:
    """The text on one line, with control characters and lone surrogates made visible."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


@lru_cache(maxsize=65536)
def width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text in points."""
    return sum(_advance(ord(c), bold) for c in text) * size / 1000


def _advance(code: int, bold: bool) -> float:
    found = _widths("bold" if bold else "regular").get(code)
    if found is None:
        return 1000.0 if code >= _WIDE else 600.0
    return found


def runs(text: str, bold: bool = False) -> Iterator[tuple[str, str]]:
    """Split a text into (font name, characters); what no font has becomes a code in brackets."""
    base = "bold" if bold else "regular"
    current, collected = base, ""
    for char in text:
        name, shown = _font_of(char, base)
        if name != current and collected:
            yield current, collected
            collected = ""
        current = name
        collected += shown
    if collected:
        yield current, collected


def _font_of(char: str, base: str) -> tuple[str, str]:
    code = ord(char)
    if code in _widths(base):
        return base, char
    if code >= _WIDE and code in _widths("cjk"):
        return "cjk", char
    return ("songti", char) if 0x2E80 <= code < 0x10000 else (base, "\ufffd")


def shorten(text: str, size: float, room: float, bold: bool = False) -> str:
    """The text, or its beginning and end around an ellipsis where it is wider than `room`."""
    text = clean(text[:400]) if len(text) <= 400 else clean(text[:200] + text[-200:])
    if width(text, size, bold) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = width(_truncated(text, middle), size, bold) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return _truncated(text, low)


def _truncated(text: str, keep: int) -> str:
    head = (keep + 1) // 2
    tail = keep - head
    return text[:head] + "…" + (text[-tail:] if tail else "")
