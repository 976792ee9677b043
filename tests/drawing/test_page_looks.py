"""What the HTML page looks like in a real browser: on a phone, its words, screenshots compared."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from graphprobe.drawing import make_drawing, render
from graphprobe.drawing.diff.drawing import make_diff
from graphprobe.ir import Program

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def screen(browser: Any) -> Iterator[Any]:
    """The browser, whose window gets its size back."""
    yield browser
    browser.call("Emulation.clearDeviceMetricsOverride")


def test_the_page_fits_a_phone(screen: Any, student_and_teacher: Path) -> None:
    screen.resize(390, 844, mobile=True)
    screen.open(student_and_teacher)
    assert screen.run("document.documentElement.scrollWidth") <= 390
    tops = screen.run("panes.map((pane) => pane.svg.getBoundingClientRect().top)")
    assert tops[0] < tops[1], "panes stand one above the other"
    small = "[...document.querySelectorAll('#tools button')].filter((b) => !b.hidden &&"
    assert screen.run(f"{small} b.getBoundingClientRect().height < 40).length") == 0
    before = screen.run("panes[0].view.k")
    points = [[{"x": 100, "y": 250}, {"x": 160, "y": 250}]]
    points += [[{"x": 100, "y": 250}, {"x": 160 + 30 * k, "y": 250}] for k in (1, 2, 3)]
    for at, touches in enumerate(points):
        kind = "touchStart" if at == 0 else "touchMove"
        screen.call("Input.dispatchTouchEvent", type=kind, touchPoints=touches)
    screen.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    assert screen.run("panes[0].view.k") > 1.5 * before, "two fingers zoom"
    assert not screen.errors


def test_everything_is_in_sight_at_first(screen: Any, student_and_teacher: Path) -> None:
    for width in (1440, 1000, 820):
        screen.resize(width, 700)
        screen.open(student_and_teacher)
        outside = screen.run(
            "[...document.querySelectorAll('.node')].filter((node) => {"
            " const a = node.getBoundingClientRect();"
            " const b = node.closest('svg').getBoundingClientRect();"
            " return a.left < b.left || a.right > b.right || a.top < b.top || a.bottom > b.bottom;"
            "}).length"
        )
        assert outside == 0


# The height of letters on the screen, of all that are shown in a pane.
LETTERS = (
    "[...panes[0].world.querySelectorAll('text')].filter((t) => t.getClientRects().length &&"
    " getComputedStyle(t).display !== 'none')"
    ".map((t) => parseFloat(getComputedStyle(t).fontSize) * panes[0].view.k)"
)


def test_a_phone_shows_the_beginning_in_letters_that_can_be_read(
    screen: Any, student_and_teacher: Path
) -> None:
    screen.resize(390, 844, mobile=True)
    screen.open(student_and_teacher)
    assert min(screen.run(LETTERS)) >= 5.5
    first = screen.run("onScreen([data.roots[0][0], data.groups[data.roots[0][0]].rows[0][0]])")
    pane = screen.run("panes[0].svg.getBoundingClientRect().toJSON()")
    assert pane["left"] < first["x"] and first["x"] + first["w"] < pane["right"]
    assert first["y"] < pane["top"] + 60
    # Opening everything by one level keeps it so.
    screen.run("openAll(), 0")
    assert min(screen.run(LETTERS)) >= 5.5


def test_seen_from_afar_nodes_show_number_and_title_alone(
    screen: Any, student_and_teacher: Path
) -> None:
    screen.resize(390, 844, mobile=True)
    screen.open(student_and_teacher)
    screen.run("openAll(), openAll(), fitView(), zoom(0.44 / state.active.view.k), 0")
    shown = screen.run(
        "[...document.querySelectorAll('.node text')].filter((t) =>"
        " getComputedStyle(t).display !== 'none').map((t) => t.getAttribute('class'))"
    )
    assert set(shown) == {"overview"}
    assert max(screen.run(LETTERS)) > 6
    wide = screen.run(
        "[...document.querySelectorAll('.node')].flatMap((node) => {"
        " const box = node.querySelector('.frame').getBBox();"
        " return [...node.querySelectorAll('.overview')].filter((t) => t.getBBox().width + 7 >"
        " box.width).map((t) => t.textContent); })"
    )
    assert wide == []


def test_text_stays_in_its_box_on_the_screen(browser: Any, student_and_teacher: Path) -> None:
    browser.open(student_and_teacher)
    browser.run("openAll(), 0")
    wide = browser.run(
        "[...document.querySelectorAll('.node')].flatMap((node) => {"
        " const box = node.querySelector('.frame').getBBox();"
        " return [...node.querySelectorAll('text')].filter((t) => t.getBBox().x +"
        " t.getBBox().width > box.width + 0.5).map((t) => t.textContent); })"
    )
    assert wide == []


def test_words_out_of_sight_are_hidden_and_come_back(
    browser: Any, student_and_teacher: Path
) -> None:
    browser.open(student_and_teacher)
    browser.run("openAll(), openAll(), openAll(), centre([0, 0]), zoom(3), 0")
    wrong = (
        "[...document.querySelectorAll('.node')].filter((node) => {"
        " const a = node.querySelector('.frame').getBoundingClientRect();"
        " const b = node.closest('svg').getBoundingClientRect();"
        " const across = a.right >= b.left && a.left <= b.right;"
        " const seen = across && a.bottom >= b.top && a.top <= b.bottom;"
        " return seen === node.classList.contains('away'); }).length"
    )
    away = "document.querySelectorAll('.node.away').length"
    assert browser.run(wrong) == 0
    assert browser.run(away) > 20
    shown = (
        "[...document.querySelectorAll('.node.away text')].filter((t) =>"
        " getComputedStyle(t).display !== 'none').length"
    )
    assert browser.run(shown) == 0
    browser.run("shift(0, -3000), 0")
    assert browser.run(wrong) == 0
    browser.run("fitView(), 0")
    assert browser.run(away) == 0
    browser.run("zoom(0.1 / state.active.view.k), 0")
    assert browser.run(away) >= browser.run("panes[0].nodes.length")
    assert browser.run(shown) == 0


def test_what_opens_a_node_covers_no_words_and_opens_by_one_click(
    browser: Any, student_and_teacher: Path
) -> None:
    browser.open(student_and_teacher)
    covered = (
        "[...document.querySelectorAll('.node')].flatMap((node) => {"
        " const button = node.querySelector('.opener circle + circle'); if (!button) return [];"
        " const b = button.getBBox(); return [...node.querySelectorAll('text:not(.overview)')]"
        " .filter((t) => { const a = t.getBBox();"
        "  return a.x + a.width > b.x && a.y + a.height > b.y + 1; }).map((t) => t.textContent); })"
    )
    assert browser.run(covered) == []
    before = browser.run("document.querySelectorAll('.node').length")
    browser.click(".opener circle + circle")
    assert browser.run("document.querySelectorAll('.node').length") > before
    assert browser.run("document.querySelector('.node.selected').classList.contains('opened')")
    browser.click(".node.opened > .opener circle + circle")
    assert browser.run("document.querySelectorAll('.node').length") == before
    assert browser.run(covered) == []


def test_the_names_of_both_programs_stay_in_their_panes(
    screen: Any, student_and_teacher: Path
) -> None:
    for size in ((1440, 900, False), (390, 844, True)):
        screen.resize(*size)
        screen.open(student_and_teacher)
        screen.run("zoom(3), shift(-2000, -2000), 0")
        inside = screen.run(
            "[...document.querySelectorAll('.heading text')].map((h) => { const a ="
            " h.getBoundingClientRect(), b = h.closest('svg').getBoundingClientRect();"
            " return a.left >= b.left && a.top >= b.top && a.bottom <= b.bottom; })"
        )
        assert inside == [True, True]


def without_softmax(program: Program) -> Program:
    """The program without its last op."""
    block = program.blocks[0]
    ops = tuple(op for op in block.ops if op.type != "softmax")
    return replace(program, blocks=(replace(block, ops=ops),), fetches=())


def blurred(png: bytes) -> np.ndarray[Any, Any]:
    """A picture in blocks of 12 pixels, so that fonts of other machines make little difference."""
    image = Image.open(BytesIO(png)).convert("RGB")
    small = image.resize((image.width // 12, image.height // 12), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64)


@pytest.mark.parametrize("name", ["pair", "opened", "coloured", "diff", "phone"])
def test_screenshots_are_what_they_were(
    screen: Any, student_and_teacher: Path, resnet: Program, tmp_path: Path, name: str
) -> None:
    """GRAPHPROBE_UPDATE_GOLDEN=1 writes them anew; look at them."""
    pages = {"pair": student_and_teacher, "phone": student_and_teacher}
    if name not in pages:
        pages[name] = tmp_path / f"{name}.html"
        drawing = make_drawing(resnet, level="stage")
        if name == "diff":
            drawing = make_diff(resnet, without_softmax(resnet), level="stage")
        pages[name].write_bytes(render(drawing, "x.html"))
    screen.resize(*((390, 844, True) if name == "phone" else (1000, 700, False)))
    screen.open(pages[name])
    if name == "opened":
        screen.run("openAll(), select([0, 2]), 0")
    if name == "coloured":
        screen.run(
            "(() => { const menu = document.getElementById('colour-by'); menu.value = '0';"
            " menu.dispatchEvent(new Event('change')); })()"
        )
    if name == "diff":
        screen.run("document.querySelector('.differ tr').click(), 0")
    got = screen.screenshot()
    path = GOLDEN / f"page_{name}.png"
    if os.environ.get("GRAPHPROBE_UPDATE_GOLDEN"):
        Image.open(BytesIO(got)).convert("P", palette=Image.Palette.ADAPTIVE).save(
            path, optimize=True
        )
    wanted, found = blurred(path.read_bytes()), blurred(got)
    assert wanted.shape == found.shape
    apart = np.abs(wanted - found)
    (tmp_path / path.name).write_bytes(got)
    assert apart.mean() < 3, f"look at {tmp_path / path.name}"
    assert np.quantile(apart, 0.999) < 90, f"look at {tmp_path / path.name}"
