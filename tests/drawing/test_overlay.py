"""Numbers as colour: the right numbers, one scale for both programs, unknown told apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import graphprobe
from graphprobe.drawing import Marks, make_drawing, render
from graphprobe.drawing.figures import measure
from graphprobe.drawing.overlay import (
    COLOUR_KEYS,
    MEASURED,
    SCALE,
    UNKNOWN,
    ColourBar,
    colour_at,
    value_of,
)
from graphprobe.drawing.pages.book import make_book
from graphprobe.drawing.pages.html_data import PageData
from graphprobe.errors import GraphprobeError, UsageError
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ir.fingerprint import fingerprint
from graphprobe.programs import load_program


def brightness(colour: str) -> float:
    """Perceived lightness of a colour, as a grey print has it."""
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def two_convs(filters: int) -> Program:
    """A 3x3 convolution and a 1x1 convolution."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), filters, k=3)
    x = b.conv(x, 4, k=1)
    return b.build([x])


def fills(program: Program, key: str, teacher: Program | None = None) -> list[list[str | None]]:
    drawing = make_drawing(program, teacher, colour_by=key, level="op")  # type: ignore[arg-type]
    return [[words.fill for words in side.view("op").words] for side in drawing.sides]


def test_darker_is_more_in_grey_too() -> None:
    light = [brightness(colour_at(k / 50)) for k in range(51)]
    assert all(a > b for a, b in zip(light, light[1:], strict=False))
    assert light[-1] / (brightness("#202124") + 0.05) > 4.5, "black text stays readable"
    assert colour_at(1.0) == "#{:02x}{:02x}{:02x}".format(*SCALE[-1][1])


def test_the_most_expensive_node_has_the_darkest_colour() -> None:
    (found,) = fills(two_convs(8), "flops")
    # 3*8*9*64 multiply-adds against 8*4*64.
    dark = [colour for colour in found if colour is not None]
    assert dark == [colour_at(1.0), colour_at((8 * 4 / (3 * 8 * 9)) ** 0.5)]


def test_student_and_teacher_share_one_scale() -> None:
    ours, theirs = fills(two_convs(8), "params", two_convs(32))
    assert colour_at(1.0) in theirs
    assert colour_at(1.0) not in ours


def test_what_cannot_be_counted_is_grey() -> None:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 8, k=3)
    b.op("lstm", {"Input": x, "Weight": b.param("w", (8, 32))}, {"Hidden": "h"})
    (found,) = fills(b.build(["h"]), "flops")
    assert UNKNOWN in found


def test_status_colours_nothing() -> None:
    (found,) = fills(two_convs(8), "status")
    assert set(found) == {None}


@pytest.mark.parametrize(
    "key", [key for key in COLOUR_KEYS if key != "status" and key not in MEASURED]
)
def test_every_page_of_nodes_has_a_colour_bar(resnet: Program, key: str) -> None:
    for page in make_book(make_drawing(resnet, colour_by=key)):  # type: ignore[arg-type]
        assert (page.colour_bar is not None) == bool(page.placed)
    for suffix in ("svg", "png", "pdf", "html"):
        assert render(make_drawing(resnet, colour_by=key), f"x.{suffix}")  # type: ignore[arg-type]


def test_ticks_are_the_values_at_their_positions() -> None:
    ticks = ColourBar("multiply-adds", 1.6e9).ticks()
    assert ticks == [(0.0, "0"), (0.25, "100 M"), (0.5, "400 M"), (0.75, "900 M"), (1.0, "1.6 G")]


def test_measured_figures_are_summed_and_what_they_lack_is_grey() -> None:
    marks = Marks(
        latency={"conv2d_0.w_0": 0.5, "relu_0.tmp_0": 0.25}, sensitivity={"conv2d_0.w_0": 0.2}
    )
    b = Builder()
    x = b.op("relu", {"X": b.conv(b.feed("image", (-1, 3, 8, 8)), 8, k=3)}, shape=(-1, 8, 8, 8))
    program = b.build([b.conv(x, 4)])
    figures = measure(program, marks)
    conv, relu, last = program.ops
    assert value_of("latency", figures, [conv, relu]) == 0.75
    assert value_of("latency", figures, [relu]) == 0.25
    assert value_of("latency", figures, [last]) is None
    assert value_of("sensitivity", figures, [conv, relu]) == 0.2
    assert value_of("sensitivity", figures, [relu]) == 0.0
    drawing = make_drawing(program, marks=marks, level="op", colour_by="latency")
    fills = [words.fill for words in drawing.sides[0].view("op").words]
    assert [fill for fill in fills if fill] == [colour_at(1.0), colour_at(0.5**0.5), UNKNOWN]
    page = PageData(drawing).document()
    assert [key for key, _ in page["colours"]][3:] == ["latency", "sensitivity"]
    assert [key for key, _ in PageData(make_drawing(program)).document()["colours"]] == [
        "flops", "params", "channels",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"conv1": 1}', "names no layer"),
        ("[1]", "not a table of milliseconds"),
        ('{"conv2d_0.w_0": "fast"}', "conv2d_0.w_0: not a number"),
        ('{"conv2d_0.w_0": true}', "conv2d_0.w_0: not a number"),
        ("{", "not json"),
    ],
)
def test_tables_that_cannot_be_shown_are_refused(
    program_files: dict[str, Path], tmp_path: Path, content: str, told: str
) -> None:
    path = tmp_path / "latency.json"
    path.write_text(content)
    with pytest.raises(GraphprobeError, match=re.escape(told)):
        graphprobe.draw(program_files["mobilenet_v1_p1.x"], latency=path)


def test_a_latency_table_is_drawn(program_files: dict[str, Path], tmp_path: Path) -> None:
    program = program_files["mobilenet_v1_p1.x"]
    convs = [op.input("Filter") for op in load_program(str(program)).ops if op.input("Filter")]
    table = {str(name): 0.1 + at for at, name in enumerate(convs)} | {"none": 1.0}
    picture = graphprobe.draw(program, latency=table, color_by="latency", level="op")
    assert picture.warnings == (f"latency: 1 of {len(table)} layers are not in the program",)
    assert b"latency in ms" in picture.render("svg")
    assert picture.drawing is not None
    side = picture.drawing.sides[0]
    assert side.overlay.tops["op"] == 0.1 + len(convs) - 1
    assert colour_at(1.0) in {words.fill for words in side.view("op").words}
    with pytest.raises(UsageError, match="no figures"):
        graphprobe.draw(program, color_by="latency")


def test_a_sensitivity_record_is_drawn_for_its_program_only(
    program_files: dict[str, Path], tmp_path: Path
) -> None:
    path = program_files["mobilenet_v1_p1.x"]
    program = load_program(str(path))
    convs = [name for op in program.ops if (name := op.input("Filter"))]
    point = {"kept": 4, "value": 0.6, "flops": 0.1}
    record = {
        "version": 1, "kind": "sensitivity", "baseline": 0.8,
        "measured": {
            "program": "x", "fingerprint": fingerprint(program), "weights": "w",
            "weights_sha256": "0", "data": "digits", "samples": 8, "image": 32,
            "policy": "seeds", "criterion": "l1_norm", "metric": "accuracy",
        },
        "groups": [{
            "group": 0, "convs": [convs[0]], "channels": 8,
            "points": [{**point, "ratio": 0.3, "loss": 0.1}, {**point, "ratio": 0.5, "loss": 0.25}],
        }],
    }  # fmt: skip
    file = tmp_path / "sensitivity.json"
    file.write_text(json.dumps(record))
    drawing = graphprobe.draw(path, sensitivity=file, color_by="sensitivity", level="op").drawing
    assert drawing is not None
    assert drawing.sides[0].marks.sensitivity == {convs[0]: 0.25}
    assert drawing.sides[0].overlay.tops["op"] == 0.25
    with pytest.raises(UsageError, match="measured on another program"):
        graphprobe.draw(program_files["yolov3_p1.8"], sensitivity=file)
