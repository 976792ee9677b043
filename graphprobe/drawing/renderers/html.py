"""HTML: one offline file with everything in it; the model's own words travel as data, as text."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path

from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.pages.html_data import PageData
from graphprobe.drawing.renderer import Renderer
from graphprobe.drawing.text import clean

_ASSETS = Path(__file__).resolve().parents[1]
_SCRIPTS = ("page_layout.js", "page_paint.js", "page_panel.js", "page_main.js")


@cache
def asset(name: str) -> str:
    """A file of the page's own."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def as_script_data(document: object) -> str:
    """Json that cannot end the script element that it stands in."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    # Lone surrogates have no UTF-8 form; line separators end lines in old parsers.
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


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
