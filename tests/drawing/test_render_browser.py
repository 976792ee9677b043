"""The HTML page in a real browser: search, click, open, pairs, keyboard, hostile names."""

from __future__ import annotations

import base64
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from graphprobe.drawing import make_drawing, render
from graphprobe.drawing.diff.drawing import make_diff
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder

HOSTILE = '</script><img src=x onerror="window.attacked=1">'


def page(path: Path, *args: Any, **more: Any) -> Path:
    path.write_bytes(render(make_drawing(*args, **more), "x.html"))
    return path


def nodes(browser: Any) -> int:
    found: int = browser.run("document.querySelectorAll('.node').length")
    return found


def test_the_page_opens_folded_and_offline(browser: Any, student_and_teacher: Path) -> None:
    browser.requests.clear()
    browser.open(student_and_teacher)
    assert not browser.errors
    assert browser.requests == [student_and_teacher.as_uri()]
    assert 8 <= nodes(browser) < 30
    assert "Graph of" in browser.run("document.getElementById('canvas-title').textContent")
    assert browser.run("document.title").endswith("graphprobe")


def test_search_finds_and_reveals(browser: Any, student_and_teacher: Path) -> None:
    browser.open(student_and_teacher)
    before = nodes(browser)
    browser.press("/", "/")
    assert browser.run("document.activeElement.id") == "search"
    browser.type("conv2d_5.w_0")
    assert browser.run("document.getElementById('status').textContent").startswith("2 found")
    assert "parameter" in browser.run("document.getElementById('results').textContent")
    browser.press("Enter", "\r")
    assert nodes(browser) > before, "the stage that hides the parameter has opened"
    details = browser.run("document.getElementById('details').textContent")
    assert "conv2d_5.w_0 [8, 8, 3, 3] float32" in details
    assert "strides" in details
    assert browser.run("document.querySelectorAll('.node.selected').length") == 1
    browser.press("Escape")
    browser.run("actions.Escape()")
    assert browser.run("document.getElementById('results').children.length") == 0


def test_search_by_type_marks_every_place(browser: Any, student_and_teacher: Path) -> None:
    browser.open(student_and_teacher)
    browser.click("#search")
    browser.type("softmax")
    assert browser.run("document.querySelectorAll('.node.found').length") == 2


def test_click_shows_prune_status_and_path(browser: Any, student_and_teacher: Path) -> None:
    browser.open(student_and_teacher)
    browser.click("#search")
    browser.type("conv2d_1.w_0")
    browser.click("#results li")
    text = browser.run("document.querySelector('.prune').textContent")
    assert "blocked: concat at concat" in text
    assert "its channels meet a concat" in text
    assert browser.run("document.querySelectorAll('.node.hot').length") >= 2
    assert browser.run("document.querySelector('.path').getAttribute('d').length") > 0


def test_a_click_selects_and_a_double_click_opens(browser: Any, student_and_teacher: Path) -> None:
    browser.open(student_and_teacher)
    before = nodes(browser)
    closed = "g.node[aria-expanded='false'] > .frame"
    browser.click(closed)
    assert browser.run("document.querySelectorAll('.node.selected').length") == 1
    assert nodes(browser) == before
    browser.click(closed, times=2)
    assert nodes(browser) > before
    assert browser.run("document.querySelectorAll('.node.opened').length") == 1
    browser.click("#close-all")
    assert nodes(browser) == before


def test_the_keyboard_suffices(browser: Any, student_and_teacher: Path) -> None:
    browser.open(student_and_teacher)
    before = nodes(browser)
    browser.run("document.querySelector(\"g.node[aria-expanded='false']\").focus()")
    browser.press("Enter", "\r")
    browser.press("e", "e")
    assert nodes(browser) > before
    inner = nodes(browser)
    browser.press("e", "e")
    assert nodes(browser) == before
    browser.press("o", "o")
    assert nodes(browser) > inner
    scale = browser.run("state.active.view.k")
    browser.press("+", "+")
    assert browser.run("state.active.view.k") > scale


def test_pairs_are_linked(browser: Any, student_and_teacher: Path) -> None:
    browser.open(student_and_teacher)
    assert browser.run("document.getElementById('links').getAttribute('d')").startswith("M")
    browser.click("#pairs tr")
    assert browser.run("document.querySelectorAll('.node.hot').length") == 2
    assert "same place" in browser.run("document.getElementById('status').textContent")
    browser.click("#open-all")
    moved = browser.run("document.getElementById('links').getAttribute('d')")
    assert moved.count("M") == 1, "the link follows the opened nodes"


def test_hostile_names_stay_text(browser: Any, tmp_path: Path) -> None:
    b = Builder()
    x = b.conv(b.feed(HOSTILE, (-1, 3, 8, 8)), 4, name=f"{HOSTILE}conv")
    b.op(HOSTILE, {HOSTILE: x}, {"Out": f"{HOSTILE}out"}, {HOSTILE: HOSTILE})
    browser.open(page(tmp_path / "hostile.html", b.build(source=HOSTILE)))
    browser.click("#search")
    browser.type("<img")
    browser.click("#results li")
    browser.click("#open-all")
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.run("window.attacked") is None
    assert HOSTILE in browser.run("document.getElementById('details').textContent")
    assert not browser.errors


def test_five_thousand_nodes_open_flat(browser: Any, tmp_path: Path) -> None:
    b = Builder()
    x = b.feed("image", (-1, 4, 8, 8))
    for at in range(2500):
        x = b.op("relu" if at % 2 else "sigmoid", {"X": x}, shape=(-1, 4, 8, 8))
        b.op("mean", {"X": x}, shape=(1,))
    browser.open(page(tmp_path / "many.html", b.build(), level="op"))
    assert nodes(browser) == 5001
    assert float(browser.run("document.body.dataset.ready")) > 0


def test_an_address_opens_a_node_and_selecting_sets_it(
    browser: Any, resnet: Program, tmp_path: Path
) -> None:
    path = page(tmp_path / "link.html", resnet, level="stage")
    conv = [op for op in resnet.ops if op.type == "conv2d"][4]
    browser.open(path)
    before = nodes(browser)
    browser.run(f"location.hash = '#' + encodeURIComponent({conv.input('Filter')!r}), 0")
    browser.until("document.querySelector('.node.selected') !== null")
    assert nodes(browser) > before
    assert conv.input("Filter") in browser.run("document.getElementById('details').textContent")
    address = browser.run("decodeURIComponent(location.hash)")
    last = browser.run(
        "(() => { const n = document.querySelector('.node.selected').dataset;"
        " const ops = data.groups[n.g].nodes[n.n].ops; return data.ops[ops.at(-1)].o; })()"
    )
    assert address.removeprefix("#") in [name for names in last.values() for name in names]
    assert not browser.errors


def test_search_by_type_shape_and_regular_expression(
    browser: Any, resnet: Program, tmp_path: Path
) -> None:
    browser.open(page(tmp_path / "search.html", resnet))
    count = "search({!r}), Number(document.getElementById('status').textContent.split(' ')[0])"
    convs = sum(op.type == "conv2d" for op in resnet.ops)
    assert browser.run(count.format("type:conv2d")) == convs
    assert browser.run(count.format("type:/^relu$/")) == sum(o.type == "relu" for o in resnet.ops)
    shaped = {n for b in resnet.blocks for n, var in b.vars.items() if var.shape == (16, 10)}
    assert browser.run(count.format("shape:16,10")) == len(shaped)
    browser.run("search('/(/'), 0")
    assert "not a regular expression" in browser.run(
        "document.getElementById('status').textContent"
    )
    assert not browser.errors


def test_the_menu_colours_nodes_and_shows_a_bar(
    browser: Any, resnet: Program, tmp_path: Path
) -> None:
    browser.open(page(tmp_path / "colour.html", resnet, level="unit"))
    filled = "[...document.querySelectorAll('.frame')].filter((f) => f.style.fill).length"
    assert browser.run(filled) == 0
    browser.run(
        "(() => { const menu = document.getElementById('colour-by'); menu.value = '0';"
        " menu.dispatchEvent(new Event('change')); })()"
    )
    assert browser.run(filled) >= sum(op.type == "conv2d" for op in resnet.ops)
    assert browser.run("document.querySelectorAll('#colour-bar .bar span').length") == 17
    assert not browser.errors


def test_the_table_of_convolutions_selects(browser: Any, resnet: Program, tmp_path: Path) -> None:
    browser.open(page(tmp_path / "table.html", resnet, level="stage"))
    browser.run("document.querySelectorAll('.convs tr')[3].click(), 0")
    param = browser.run("document.querySelectorAll('.convs tr')[3].firstChild.textContent")
    assert param in browser.run("document.getElementById('details').textContent")
    assert browser.run("document.querySelector('.node.selected') !== null")


def test_student_and_teacher_have_a_pane_each_with_linked_selection(
    browser: Any, student_and_teacher: Path
) -> None:
    browser.open(student_and_teacher)
    assert browser.run("panes.length") == 2
    browser.run("document.querySelector('#pairs tr').click(), 0")
    hot = "[...document.querySelectorAll('.node.hot')].map((e) => e.closest('svg').dataset.side)"
    assert sorted(browser.run(hot)) == ["0", "1"]
    browser.run("select(graph.pairEnds(0)[0]), 0")
    twin = "document.querySelector('.node.twin').closest('svg').dataset.side"
    assert browser.run(twin) == "1"
    assert browser.run("document.querySelectorAll('.node.twin').length") == 1
    assert not browser.errors


def test_linked_panes_keep_what_belongs_together_at_one_height(
    browser: Any, resnet: Program, tmp_path: Path
) -> None:
    (softmax,) = [op.id for op in resnet.ops if op.type == "softmax"]
    block = resnet.blocks[0]
    shorter = replace(
        resnet,
        blocks=(replace(block, ops=tuple(op for op in block.ops if op.id != softmax)),),
        fetches=(),
    )
    path = tmp_path / "diff.html"
    path.write_bytes(render(make_diff(resnet, shorter, level="stage"), path.name))
    browser.open(path)
    assert browser.run("document.getElementById('sync').getAttribute('aria-pressed')") == "true"
    browser.run("openAll(), zoom(2), 0")
    browser.run("state.active.view.y -= 200, move(), 0")
    # The op in the middle of pane 0 and its partner, on the screen.
    apart = (
        "(() => { const middle = panes[0].h / 2; let best = [1e9, 0];"
        " for (const [a, b] of graph.linkedNodes().map((p) => p.map(onScreen))) {"
        "  const far = Math.abs(a.y + a.h / 2 - middle);"
        "  if (far < best[0]) best = [far, Math.abs(a.y + a.h / 2 - b.y - b.h / 2)]; }"
        " return best[1]; })()"
    )
    assert browser.run(apart) < 12
    assert browser.run("panes[0].view.k === panes[1].view.k")
    browser.press("s", "s")
    still = browser.run("panes[1].view.y")
    browser.press("ArrowDown")
    assert browser.run("panes[1].view.y") == still, "panes that are not linked stay"
    assert browser.run("document.querySelectorAll('.differ tr').length") == 1
    browser.run("document.querySelector('.differ tr').click(), 0")
    assert "gone: softmax" in browser.run("document.getElementById('details').textContent")
    assert not browser.errors


def test_crumbs_lead_from_a_node_to_what_holds_it(
    browser: Any, resnet: Program, tmp_path: Path
) -> None:
    browser.open(page(tmp_path / "crumbs.html", resnet, level="stage"))
    conv = [op for op in resnet.ops if op.type == "conv2d"][4]
    browser.run(f"location.hash = '#' + encodeURIComponent({conv.input('Filter')!r}), 0")
    browser.until("document.querySelector('.node.selected') !== null")
    depth = browser.run("document.querySelectorAll('#crumbs button').length")
    assert depth > 1
    browser.press("Backspace")
    assert browser.run("document.querySelectorAll('#crumbs button').length") == depth - 1
    browser.run("document.querySelector('#crumbs button').click(), 0")
    assert browser.run("document.querySelectorAll('#crumbs button').length") == 1
    assert browser.run("document.querySelectorAll('.node.selected.opened').length") == 1


def test_the_view_is_saved_as_svg_and_png(browser: Any, student_and_teacher: Path) -> None:
    browser.open(student_and_teacher)
    svg = ElementTree.fromstring(browser.run("viewAsSvg()"))  # noqa: S314 - our own
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert any("student: " in (text or "") for text in texts)
    assert any("teacher: " in (text or "") for text in texts)
    browser.run("viewAsPng().then((address) => { window.saved = address; }), 0")
    browser.until("window.saved !== undefined")
    image = Image.open(BytesIO(base64.b64decode(browser.run("window.saved").split(",")[1])))
    wide = browser.run("panesBox.getBoundingClientRect().width")
    assert abs(image.width - 2 * wide) <= 2
    assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 10, "not a blank sheet"
    assert not browser.errors
