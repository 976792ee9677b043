"""The page of a report: complete, nothing of it acts; the same on paper."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pypdf
import pytest
from PIL import Image

from graphprobe.drawing import Marks, make_drawing
from graphprobe.drawing.drawing import Drawing
from graphprobe.drawing.figures import measure, short
from graphprobe.drawing.pages.curves import Curve, CurveSheet, Panel
from graphprobe.drawing.renderers.html import asset
from graphprobe.drawing.report import sections
from graphprobe.drawing.report.document import Document, ImagePair, Section, Table
from graphprobe.drawing.report.page import render_page
from graphprobe.drawing.report.paper import MOST_ROWS, render_paper
from graphprobe.ir import Adapter, Pair, Program, PruneDecision, Site
from graphprobe.ir.builder import Builder

HOSTILE = '</script></iframe><img src=x onerror="window.attacked=1">'


def document(drawing: Drawing, *more: Section, messages: tuple[str, ...] = ()) -> Document:
    """A report of what follows from a drawing alone, and more chapters."""
    chapters = [sections.models(drawing)]
    chapters += [sections.pairs(drawing)] if len(drawing.sides) > 1 else []
    behind = [sections.convolutions(drawing), sections.variables(drawing.sides)]
    figures = [(HOSTILE, "what it is"), ("3", HOSTILE)]
    return Document("a & b", figures, [HOSTILE], [*chapters, *more], drawing, behind, messages)


def jpeg(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def hostile() -> Document:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 4, name=f"{HOSTILE}c")
    b.op("relu", {"X": x}, {"Out": HOSTILE})
    program = b.build(source=HOSTILE)
    param = f"{HOSTILE}c.w_0"
    decision = PruneDecision(
        param, 0, "conv2d", (4, 3, 1, 1), 1, "blocked", "output", Site(1, HOSTILE), (HOSTILE,),
        detail=HOSTILE,
    )  # fmt: skip
    pair = Pair(HOSTILE, HOSTILE, (1,), (1,), HOSTILE, "l2", 1.0, 1.0, HOSTILE, (HOSTILE,))
    drawing = make_drawing(program, program, marks=Marks({param: decision}), pairs=[pair])
    curve = Curve(HOSTILE, ((0.0, 1.0), (1.0, 2.0)))
    sheet = CurveSheet(HOSTILE, (HOSTILE,), (Panel(HOSTILE, (curve,)),))
    image = ImagePair(HOSTILE, jpeg("red"), jpeg("blue"))
    more = Section("k", HOSTILE, [HOSTILE], [("#fff", HOSTILE)],
                   [Table((HOSTILE, "x"), [(HOSTILE, "")], HOSTILE, note=HOSTILE)], sheet,
                   [image])  # fmt: skip
    return document(drawing, more, messages=(HOSTILE,))


def test_the_report_is_complete(resnet: Program) -> None:
    convs = [op for op in resnet.ops if op.type == "conv2d"]
    out, param = convs[3].output("Output") or "", convs[3].input("Filter") or ""
    decision = PruneDecision(param, convs[3].id, "conv2d", (8, 8, 3, 3), 1, "prunable", group=5)
    adapter = Adapter(8, 16, True, 144)
    pair = Pair(out, out, (1, 8), (1, 16), "feature", "l2", 2.0, 0.5, "rule", ("why",), adapter)
    drawing = make_drawing(resnet, resnet, marks=Marks({param: decision}), pairs=[pair])
    text = render_page(document(drawing, messages=("two heads look alike",)))
    outside = re.sub(r"<iframe.*?</iframe>|<svg.*?</svg>", "", text, flags=re.S)
    for name in block_names(resnet):
        assert f"<td>{name}</td>" in outside, name
    assert "1×1 convolution 8 → 16, resize" in outside
    assert "1 prunable (may be pruned)" in outside
    assert "two heads look alike" in outside
    assert "multiply-adds" in outside
    macs = measure(resnet, Marks()).flops[convs[3].id]
    assert f"<td>{short(macs)}</td>" in outside
    assert text.count("<svg") == 1, "the explorable graph makes its own"


def block_names(program: Program) -> list[str]:
    return list(program.blocks[0].vars)


def test_one_program_has_no_pairs(resnet: Program) -> None:
    text = render_page(document(make_drawing(resnet)))
    assert 'id="pairs"' not in text.partition("<iframe")[0]
    assert "No convolutions." in text


def test_hostile_names_stay_text() -> None:
    text = render_page(hostile())
    assert "<img src=x" not in text
    assert text.count("<img") == 2, "before and after, by the template"
    assert text.count("<script") == 1, "that of the frame is inside its attribute"


def test_the_report_in_a_browser(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render_page(hostile()), encoding="utf-8")
    browser.requests.clear()
    browser.errors.clear()
    browser.call("Page.navigate", url=path.as_uri())
    browser.until("document.readyState === 'complete' && document.querySelector('iframe') !== null")
    assert browser.run("document.querySelectorAll('img').length") == 2
    assert browser.run("window.attacked") is None
    assert not browser.errors
    assert not [url for url in browser.requests if not url.startswith(("file:", "about:", "data:"))]
    rows = "[...document.querySelectorAll('details tbody tr')]"
    before = browser.run(f"{rows}.length")
    browser.run(
        "(() => { const f = document.querySelectorAll('.filter'); const last = f[f.length - 1];"
        " last.value = 'zzz'; last.dispatchEvent(new Event('input')); })()"
    )
    assert browser.run(f"{rows}.filter((row) => !row.hidden).length") < before


@pytest.mark.parametrize("name", ["report.html", "report.css", "report.js"])
def test_the_page_asks_for_nothing_from_outside(name: str) -> None:
    assert not re.findall(r"https?://|@import|url\(", asset(name))


def test_the_report_on_paper(resnet: Program) -> None:
    found = hostile()
    content = render_paper(found)
    assert content == render_paper(found), "equal reports are equal files"
    reader = pypdf.PdfReader(io.BytesIO(content))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    squeezed = text.replace(" ", "")
    assert squeezed.count(HOSTILE.replace(" ", "")) >= 10, "as text, every time"
    titles = [str(entry.title) for entry in reader.outline]  # type: ignore[union-attr]
    assert titles[:3] == ["a & b", "The models", "Pairs"]
    assert titles[-1] == "Drawing"
    assert "Variables" not in titles, "long tables are left to the page"
    assert sum(len(page.images) for page in reader.pages) == 2


def test_a_long_table_on_paper_has_its_first_rows(resnet: Program) -> None:
    rows = [(f"row{n}", "a very long cell " * 40) for n in range(MOST_ROWS + 7)]
    more = Section("k", "Rows", tables=[Table(("name", "words"), rows)])
    content = render_paper(document(make_drawing(resnet), more))
    text = "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(content)).pages)
    assert f"row{MOST_ROWS - 1}" in text and f"row{MOST_ROWS}" not in text
    assert "7 more rows are in the HTML report." in text


def test_a_program_without_ops_has_a_report() -> None:
    empty = Builder()
    empty.feed("image", (-1, 3, 8, 8))
    found = document(make_drawing(empty.build()))
    assert "1 variables" in render_page(found)
    assert pypdf.PdfReader(io.BytesIO(render_paper(found))).pages
