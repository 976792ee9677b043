"""HTML: one offline file with everything in it; the model's own words travel as data, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.pages.html_data import PageData
from graphprobe.drawing.renderer import Renderer
from graphprobe.drawing.text import clean

_ASSETS = Path(__file__).resolve().parents[1]
_SCRIPTS = ("page_layout.js", "page_paint.js", "page_panel.js", "page_link.js", "page_main.js")


@cache
def asset(name: str) -> str:
    """A file of the page's own."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def as_script_data(document: Any) -> str:
    """Json that cannot end the script element that it stands in, nor act where it is shown."""
    text = json.dumps(_visible(document), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c")


def _visible(value: Any) -> Any:
    """The same with characters that are not seen written out, so that no name turns the text."""
    if isinstance(value, str):
        return value if value.isprintable() else clean(value)
    if isinstance(value, Mapping):
        return {_visible(key): _visible(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_visible(item) for item in value]
    return value


def render(drawing: Drawing) -> bytes:
    """A drawing as one HTML file that needs no network."""
    parts = {
        "TITLE": escape(clean(drawing.title)),
        "STYLE": asset("page.css"),
        "DATA": as_script_data(PageData(drawing).document()),
        "SCRIPT": "\n".join(asset(name) for name in _SCRIPTS),
    }
    pieces = asset("page.html").split("@@")
    return "".join(parts[p] if at % 2 else p for at, p in enumerate(pieces)).encode()


RENDERER = Renderer("html", render)
