"""HTML: one offline file with everything in it; the model's own words travel as data, as text."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.pages.html_data import PageData
from graphprobe.drawing.renderer import Renderer
from graphprobe.drawing.text import clean

_WEB = Path(__file__).resolve().parents[1] / "web"
_IMPORT = re.compile(r'^import [^;"]*"\./([^"]+)";\n', re.M)
# A comment that has its lines to itself; no string of the page goes over several lines.
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:(?!\*/)[\s\S])*\*/[ \t]*)\n", re.M)


@cache
def asset(name: str) -> str:
    """A file of the page's own."""
    return (_WEB / name).read_text(encoding="utf-8")


@cache
def script(name: str) -> str:
    """A module and what it imports as one script, without comments."""
    text = "".join(asset(module) for module in modules(name))
    text = re.sub("^export ", "", _IMPORT.sub("", text), flags=re.M)
    lines = re.sub(r"\n{2,}", "\n", _COMMENT.sub("", text)).lstrip("\n")
    return f'"use strict";\n{lines}'


def allowed(text: str) -> str:
    """The word of a page's security policy that lets this script run, and no other."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def modules(name: str) -> tuple[str, ...]:
    """The module and all that it imports, each after what it needs itself."""
    found: dict[str, None] = {}
    for needed in _IMPORT.findall(asset(name)):
        found.update(dict.fromkeys(modules(needed)))
    return (*found, name)


# What json escapes inside a string.
_ESCAPE = re.compile(r'\\(?:["\\]|u[0-9a-f]{4}|[nrtbf])')


def as_script_data(document: Any) -> str:
    """Json that cannot end the script element that it stands in, nor act where it is shown.

    Characters that are not seen are written out, so that no name turns the text around it.
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    text = _ESCAPE.sub(_written_out, text)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else f"\\\\u{ord(c):04x}" for c in text)
    return text.replace("<", "\\u003c")


def _written_out(match: re.Match[str]) -> str:
    """An escaped control character as the text of its escape; quotes and backslashes stay."""
    if match[0][1] in '"\\':
        return match[0]
    code = ord(json.loads(f'"{match[0]}"'))
    return f"\\\\u{code:04x}"


def render(drawing: Drawing) -> bytes:
    """A drawing as one HTML file that needs no network."""
    parts = {
        "TITLE": escape(clean(drawing.title)),
        "STYLE": asset("page.css"),
        "DATA": as_script_data(PageData(drawing).document()),
        "SCRIPT": script("main.js"),
        "HASH": allowed(script("main.js")),
    }
    pieces = asset("page.html").split("@@")
    return "".join(parts[p] if at % 2 else p for at, p in enumerate(pieces)).encode()


RENDERER = Renderer("html", render)
