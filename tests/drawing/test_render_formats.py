"""Every format: equal bytes for equal programs, nothing escapes, nothing is too small to read."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET  # noqa: S405 - reads only what was just drawn
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from PIL import Image

from graphprobe.drawing import Drawing, Focus, Marks, formats, make_drawing, render
from graphprobe.drawing.layout.boxes import MIN_TEXT, SMALL
from graphprobe.drawing.pages.book import make_book
from graphprobe.drawing.pages.sheet import A3
from graphprobe.errors import UsageError
from graphprobe.ir import Pair, Program, PruneDecision, Site
from graphprobe.ir.builder import Builder

FORMATS = ("html", "pdf", "png", "svg")
LEVELS = (None, "stage", "block", "unit", "op", "raw")
GOLDEN = Path(__file__).parent / "golden"
HOSTILE = '</script><img src=x onerror="alert(1)">'
NAMES = [
    HOSTILE,
    "<b>&amp;\"'`${x}{{y}}",
    "特征图_卷积层_输出",
    "龘靐齉㐀",
    "a" * 5000,
    "line\nbreak\ttab\x00nul",
    "\udc80lone",
    "rtl\u202eevil",
    "😀",
    "",
    "--><!--",
    "]]>",
]


def hostile() -> Program:
    """A program whose every name is an attack or a curiosity."""
    b = Builder()
    x = b.feed(NAMES[0], (-1, 3, 8, 8))
    for at, name in enumerate(NAMES[1:]):
        b.var(name, (-1, 3, 8, 8))
        weight = b.param(f"{name}{HOSTILE}{at}", (3, 3, 1, 1))
        slots = {"Input": x, "Filter": weight}
        x = b.op("conv2d", slots, {"Output": name}, {"strides": (1, 1), HOSTILE: HOSTILE})
    b.op(HOSTILE, {HOSTILE: x}, {HOSTILE: "end"})
    return b.build(["end"], source=f"/models/{HOSTILE}/__model__")


def with_findings(program: Program) -> Drawing:
    """A drawing with pairs (with itself) and decisions on every convolution."""
    convs = [op for op in program.ops if op.type == "conv2d"]
    outs = [op.output("Output") or "" for op in convs]
    decisions = {}
    for at, op in enumerate(convs):
        param = op.input("Filter") or ""
        status = ("prunable", "blocked", "follower")[at % 3]
        reason = None if status == "prunable" else "residual"
        site = None if reason is None else Site(op.id, op.type)
        decisions[param] = PruneDecision(
            param, op.id, op.type, (), 1, status, reason, site, tuple(outs[at : at + 2]),
            detail=f"because of {param}",
        )  # fmt: skip
    pair = Pair(outs[1], outs[1], (), (), "head", "l2", 1.0, 1.0, "rule", (f"<i>{outs[1]}</i>",))
    marks = Marks(decisions)
    return make_drawing(program, program, marks=marks, teacher_marks=marks, pairs=[pair])


def test_the_formats_are_these() -> None:
    assert tuple(formats()) == ("dot", "graphml", *FORMATS)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("level", LEVELS)
def test_shuffled_ops_draw_byte_equal(
    resnet: Program, shuffled: Callable[[Program, int], Program], name: str, level: str | None
) -> None:
    drawn = {
        render(make_drawing(program, level=level), f"x.{name}")
        for program in (resnet, shuffled(resnet, 1), shuffled(resnet, 2))
    }
    assert len(drawn) == 1


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("level", LEVELS)
def test_hostile_names_draw_in_every_format(name: str, level: str | None) -> None:
    drawing = with_findings(hostile())
    drawing.level = level  # type: ignore[assignment]
    content = render(drawing, f"x.{name}")
    if name == "svg":
        root = ET.fromstring(content)  # noqa: S314
        allowed = {"svg", "title", "rect", "path", "text"}
        assert {element.tag.rpartition("}")[2] for element in root.iter()} <= allowed
    elif name == "html":
        text = content.decode()
        assert "<img" not in text
        assert text.count("<script") == text.count("</script>") == 2
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
        assert data is not None
        assert any(HOSTILE in str(op) for op in json.loads(data[1])["ops"]) or level == "raw"
    elif name == "pdf":
        assert pypdf.PdfReader(BytesIO(content)).pages
    else:
        Image.open(BytesIO(content)).verify()


@pytest.mark.parametrize("shape", [(8,), (), (8, 0, 3, 3), (8, 4, 3, 3)])
@pytest.mark.parametrize("type_", ["conv2d", "conv2d_transpose"])
def test_filters_of_any_shape_draw(type_: str, shape: tuple[int, ...]) -> None:
    b = Builder()
    slots = {"Input": b.feed("image", (-1, 8, 8, 8)), "Filter": b.param("w", shape)}
    b.op(type_, slots, {"Output": "y"}, {"groups": 1}, (-1, 8, 8, 8))
    drawing = make_drawing(b.build(["y"]), level="op")
    made = {"conv2d": "→8", "conv2d_transpose": "→4"}[type_]
    assert (made in render(drawing, "x.svg").decode()) == (shape == (8, 4, 3, 3))


def test_html_asks_for_nothing_from_outside(resnet: Program) -> None:
    text = render(make_drawing(resnet), "x.html").decode()
    assert "default-src 'none'" in text
    addresses = set(re.findall(r"https?://[^\"'\s<]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}, "only the name of a namespace"
    assert not re.search(r"\b(src|href)=", text)


@pytest.mark.parametrize("level", LEVELS)
def test_no_text_is_smaller_than_six_points(resnet: Program, level: str | None) -> None:
    pages = make_book(make_drawing(resnet, level=level))  # type: ignore[arg-type]
    assert min(p.scale * SMALL for page in pages for p in page.placed) >= MIN_TEXT
    assert all(text.size >= MIN_TEXT for page in pages for text in page.texts)
    assert all(sorted(page.size) <= sorted(A3) for page in pages)
    for page in pages:
        for placed in page.placed:
            for box in placed.scene.boxes:
                right = placed.x + (box.x + box.w) * placed.scale
                low = placed.y + (box.y + box.h) * placed.scale
                assert placed.x + box.x >= 0
                assert right <= page.size[0]
                assert low <= page.size[1]


def test_pdf_has_bookmarks_and_searchable_parameters(resnet: Program) -> None:
    reader = pypdf.PdfReader(BytesIO(render(with_findings(resnet), "x.pdf")))
    text = "\n".join(page.extract_text() for page in reader.pages)
    missing = [v.name for v in resnet.parameters if v.name not in text]
    assert not missing
    titles = [str(entry.title) for entry in reader.outline if not isinstance(entry, list)]
    assert titles[0].startswith("student and teacher by stages")
    assert {"student: the stages in detail", "student convolutions", "teacher parameters"} <= {
        *titles
    }
    assert f"page 1 of {len(reader.pages)}" in reader.pages[0].extract_text()


def test_pdf_sets_chinese_names_as_text() -> None:
    b = Builder()
    b.op("relu", {"X": b.feed("图像_特征", (1, 3))}, {"Out": b.var("输出", (1, 3))})
    reader = pypdf.PdfReader(BytesIO(render(make_drawing(b.build()), "x.pdf")))
    assert "图像_特征" in reader.pages[0].extract_text()
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert "输出" in text


def test_train_programs_say_what_is_not_drawn() -> None:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 4, name="c")
    b.op("conv2d_grad", {"Filter": "c.w_0", "Output@GRAD": f"{x}@GRAD"}, {}, {"op_role": 1})
    text = render(make_drawing(b.build()), "x.svg").decode()
    assert "1 backward and 0 optimizer ops" in text
    assert "∇ 1 backward" in text


def test_focus_shows_the_neighbourhood_alone(resnet: Program) -> None:
    drawing = make_drawing(resnet, focus=Focus(re.compile("^softmax$"), 1))
    root = ET.fromstring(render(drawing, "x.svg"))  # noqa: S314
    words = " ".join("".join(element.itertext()) for element in root)
    assert "softmax" in words
    assert "1 of 26 nodes match; left out: 23 that" in words
    assert "conv 3×3 /2" not in words


def test_focus_that_matches_nothing_suggests(resnet: Program) -> None:
    drawing = make_drawing(resnet, focus=Focus(re.compile("sofmax"), 1))
    for name in FORMATS:
        with pytest.raises(UsageError, match="did you mean softmax"):
            render(drawing, f"x.{name}")


@pytest.mark.parametrize("file", ["x.gif", "x", "x.PDFX", ".pdf.txt"])
def test_unknown_suffixes(resnet: Program, file: str) -> None:
    with pytest.raises(
        UsageError, match=r"use one of \.dot, \.graphml, \.html, \.pdf, \.png, \.svg"
    ):
        render(make_drawing(resnet), file)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("level", LEVELS)
def test_an_empty_program_draws(name: str, level: str | None) -> None:
    assert render(make_drawing(Builder().build(), level=level), f"x.{name}")  # type: ignore[arg-type]


def test_golden_picture(resnet: Program) -> None:
    """The whole picture of a small program; GRAPHPROBE_UPDATE_GOLDEN=1 writes it anew."""
    found = render(make_drawing(resnet, level="block"), "x.svg").decode()
    path = GOLDEN / "resnet_blocks.svg"
    if os.environ.get("GRAPHPROBE_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
