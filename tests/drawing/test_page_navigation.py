"""Ways through the HTML page in a real browser: addresses, keys, saved files, its policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from graphprobe.drawing import make_drawing, render
from graphprobe.drawing.report.document import Document
from graphprobe.drawing.report.page import render_page
from graphprobe.drawing.report.sections import variables
from graphprobe.ir import Program

SELECTED = "state.selected && graph.node(state.selected).n"


def open_address(browser: Any, page: Path, name: str) -> None:
    """Open a page at an address, as from a link."""
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=f"{page.as_uri()}#{name}")
    browser.until("document.body && document.body.dataset.ready !== undefined")


def names(program: Program) -> list[str]:
    """What the convolutions write."""
    return [op.output("Output") or "" for op in program.ops if op.type == "conv2d"]


def test_back_and_forward_go_through_what_was_selected(
    browser: Any, student_and_teacher: Path
) -> None:
    open_address(browser, student_and_teacher, "")
    browser.run("select([0, 2]), select([0, 3]), 0")
    second, third = browser.run("['0:2', '0:3'].map((at) => graph.node(at.split(':')).n)")
    assert browser.run(SELECTED) == third
    browser.run("history.back()")
    browser.until(f"({SELECTED}) === {second!r}")
    browser.run("history.back()")
    browser.until("state.selected === null")
    assert browser.run("location.hash") == ""
    assert browser.run("document.getElementById('details').textContent") == ""
    assert browser.run("document.querySelectorAll('.node.selected').length") == 0
    browser.run("history.forward()")
    browser.until(f"({SELECTED}) === {second!r}")
    browser.run("history.forward()")
    browser.until(f"({SELECTED}) === {third!r}")
    assert not browser.errors


def test_going_back_leaves_a_page_that_an_address_opened(
    browser: Any, resnet: Program, student_and_teacher: Path
) -> None:
    """The address of a parameter becomes that of its node, without a step that back ends in."""
    param = next(op.input("Filter") or "" for op in resnet.ops if op.type == "conv2d")
    open_address(browser, student_and_teacher, f"teacher:{param}")
    assert browser.run("location.hash").startswith("#teacher:")
    assert browser.run("location.hash") != f"#teacher:{param}"
    browser.run("setTimeout(() => history.back()), 0")
    browser.until("location.href === 'about:blank'")


@pytest.mark.parametrize("side", [0, 1])
def test_a_link_opens_the_node_of_its_side(
    browser: Any, resnet: Program, student_and_teacher: Path, side: int
) -> None:
    name = names(resnet)[5]
    open_address(browser, student_and_teacher, f"{('student', 'teacher')[side]}:{name}")
    assert browser.run("data.groups[state.selected[0]].side") == side
    ops = browser.run(
        "graph.allOps(state.selected).flatMap((at) => Object.values(data.ops[at].o)).flat()"
    )
    assert name in ops
    # It is in its pane, not somewhere outside.
    box, pane = browser.run(
        "[document.querySelector('.node.selected > .frame'), paneOf(state.selected).svg]"
        ".map((e) => e.getBoundingClientRect().toJSON())"
    )
    assert pane["left"] <= box["left"] and box["right"] <= pane["right"]
    assert pane["top"] <= box["top"] and box["bottom"] <= pane["bottom"]


@pytest.mark.parametrize("address", ["nothing", "%E0%A4%A", "constructor", "teacher:", "__proto__"])
def test_an_address_of_nothing_says_so(
    browser: Any, student_and_teacher: Path, address: str
) -> None:
    browser.errors.clear()
    open_address(browser, student_and_teacher, address)
    said = browser.run("document.getElementById('status').textContent")
    assert said == "the page has no variable of that name"
    assert browser.run("state.selected") is None
    assert not browser.errors


def press(browser: Any, key: str, code: int) -> None:
    """A key that moves the focus."""
    for kind in ("rawKeyDown", "keyUp"):
        browser.call(
            "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
        )


def test_the_tab_key_goes_from_node_to_node_and_through_tables(
    browser: Any, student_and_teacher: Path
) -> None:
    browser.open(student_and_teacher)
    browser.run("panes[0].svg.focus()")
    for expected in ("0", "1"):
        press(browser, "Tab", 9)
        assert browser.run("document.activeElement.dataset.n") == expected
    browser.press("Enter", "\r")
    assert browser.run("state.selected") == [0, 1]
    browser.run("document.querySelector('#pairs tr').focus()")
    browser.press("Enter", "\r")
    assert browser.run("document.querySelectorAll('.node.hot').length") == 2
    browser.run("document.querySelector('.convs').parentElement.open = true")
    browser.run("document.querySelectorAll('.convs tr')[2].focus()")
    browser.press("Enter", "\r")
    filters = "graph.node(state.selected).ops.flatMap((at) => data.ops[at].i.Filter || [])"
    param = browser.run("document.querySelectorAll('.convs tr')[2].firstChild.textContent")
    assert param in browser.run(filters)


def test_keys_with_names_of_objects_and_enter_without_hits_do_nothing(
    browser: Any, student_and_teacher: Path
) -> None:
    browser.errors.clear()
    browser.open(student_and_teacher)
    browser.press("constructor")
    browser.click("#search")
    browser.type("no such thing")
    browser.press("Enter", "\r")
    assert browser.run("state.selected") is None
    assert not browser.errors


def test_what_is_selected_stays_marked_when_nodes_are_coloured(
    browser: Any, student_and_teacher: Path
) -> None:
    browser.open(student_and_teacher)
    browser.run("select([0, 2]), 0")
    browser.run(
        "(() => { const menu = document.getElementById('colour-by'); menu.value = '0';"
        " menu.dispatchEvent(new Event('change')); })()"
    )
    assert browser.run("document.querySelector('.node.selected').dataset.n") == "2"


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_buttons_save_files(
    browser: Any, student_and_teacher: Path, tmp_path: Path, kind: str
) -> None:
    browser.open(student_and_teacher)
    folder = tmp_path / "saved"
    folder.mkdir()
    browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    browser.click(f"#save-{kind}")
    file = folder / f"graph.{kind}"
    browser.until_file(file)
    if kind == "svg":
        root = ElementTree.parse(file).getroot()  # noqa: S314 - our own
        frames = [e for e in root.iter() if e.get("class") == "frame"]
        assert len(frames) == browser.run("document.querySelectorAll('.frame').length")
    else:
        assert Image.open(file).width == round(2 * browser.run("panesBox.clientWidth"))


INJECT = """
(() => {
  const div = document.createElement("div");
  div.innerHTML = '<img src="data:image/png;base64,x" onerror="window.attacked = 1">';
  const script = document.createElement("script");
  script.textContent = "window.attacked = 2";
  document.body.append(div, script);
  div.firstChild.dispatchEvent(new Event("error"));
  fetch("data:text/plain,x").then(() => { window.attacked = 3; }, () => { window.refused = 1; });
})()
"""


def test_the_page_runs_no_script_but_its_own(browser: Any, student_and_teacher: Path) -> None:
    """Were a name of the model ever taken for markup, the browser would still not run it."""
    browser.open(student_and_teacher)
    browser.run(INJECT)
    browser.until("window.refused === 1")
    assert browser.run("window.attacked") is None


def test_the_report_runs_its_own_scripts_and_those_of_its_frame(
    browser: Any, student_and_teacher: Path, resnet: Program, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    drawing = make_drawing(resnet, resnet)
    document = Document("report", [], [], [], drawing, [variables(drawing.sides)])
    path.write_text(render_page(document), encoding="utf-8")
    browser.errors.clear()
    browser.call("Page.navigate", url=path.as_uri())
    browser.until(
        "document.readyState === 'complete' && document.querySelector('.filter') !== null"
    )
    frame = "document.querySelector('iframe').srcdoc"
    policy = browser.run("document.querySelector('meta[http-equiv]').content")
    inner = browser.run(
        f"new DOMParser().parseFromString({frame}, 'text/html')"
        ".querySelector('meta[http-equiv]').content"
    )
    words = inner.split("script-src ")[1].split(";")[0]
    assert words.startswith("'sha256-") and words in policy
    browser.run("document.querySelector('details').open = true")
    hidden = "document.querySelectorAll('tr[hidden]').length"
    assert browser.run(hidden) == 0
    browser.run(
        "(() => { const box = document.querySelector('.filter'); box.value = 'conv2d_3';"
        " box.dispatchEvent(new Event('input')); })()"
    )
    assert browser.run(hidden) > 0
    browser.run(INJECT)
    browser.until("window.refused === 1")
    assert browser.run("window.attacked") is None


def test_another_script_has_another_word_in_the_policy(resnet: Program) -> None:
    from graphprobe.drawing.renderers.html import allowed, script

    text = render(make_drawing(resnet), "x.html").decode()
    code = text.split("<script>")[1].split("</script>")[0]
    assert code == script("main.js")
    assert f"script-src {allowed(code)};" in text
    assert allowed(code) != allowed(code + " ")
    assert "unsafe-inline" not in text.split("script-src")[1].split(";")[0]
