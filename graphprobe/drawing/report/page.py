"""A report as one offline HTML page."""

from __future__ import annotations

import base64
from html import escape

from graphprobe.drawing.pages.curves import render_curves
from graphprobe.drawing.pages.picture import make_picture
from graphprobe.drawing.renderers.html import allowed, asset, script
from graphprobe.drawing.renderers.html import render as render_html
from graphprobe.drawing.renderers.svg import svg_text
from graphprobe.drawing.report.document import Document
from graphprobe.drawing.text import clean

_MAX_PICTURE = 400


def render_page(document: Document) -> str:
    """The whole page. Every text of a file is made visible and escaped by the template."""
    from jinja2 import Environment

    words = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_visible)
    page = words.from_string(asset("report.html"))
    drawing = document.drawing
    level = drawing.level
    drawing.level = "stage"
    picture = svg_text(make_picture(drawing, _MAX_PICTURE), drawing.title)
    drawing.level = level
    return page.render(
        document=document,
        style=asset("report.css"),
        script=script("report.js"),
        # the frame has to keep to this page's policy too
        hashes=" ".join(allowed(script(name)) for name in ("report.js", "main.js")),
        picture=picture,
        frame=escape(render_html(drawing).decode(), quote=True),
        curves={
            section.key: render_curves(section.curves, "svg").decode()
            for section in document.sections
            if section.curves is not None
        },
        as_data=_as_data,
    )


def _visible(value: object) -> object:
    """A text of a file without characters that act; what we made ourselves as it is."""
    return clean(value) if type(value) is str else value


def _as_data(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
