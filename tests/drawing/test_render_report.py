"""The report holds variables, pairs, prune table and drawings, and nothing of it escapes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from graphprobe.drawing import Marks, make_drawing
from graphprobe.drawing.figures import measure, short
from graphprobe.drawing.pages.report import render_report
from graphprobe.ir import Adapter, Pair, Program, PruneDecision, Site
from graphprobe.ir.builder import Builder

HOSTILE = '</script></iframe><img src=x onerror="window.attacked=1">'


def hostile() -> bytes:
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
    return render_report(drawing, [HOSTILE])


def test_the_report_is_complete(resnet: Program) -> None:
    convs = [op for op in resnet.ops if op.type == "conv2d"]
    out, param = convs[3].output("Output") or "", convs[3].input("Filter") or ""
    decision = PruneDecision(param, convs[3].id, "conv2d", (8, 8, 3, 3), 1, "prunable", group=5)
    adapter = Adapter(8, 16, True, 144)
    pair = Pair(out, out, (1, 8), (1, 16), "feature", "l2", 2.0, 0.5, "rule", ("why",), adapter)
    drawing = make_drawing(resnet, resnet, marks=Marks({param: decision}), pairs=[pair])
    text = render_report(drawing, ["two heads look alike"]).decode()
    outside = re.sub(r"<iframe.*?</iframe>|<svg.*?</svg>", "", text, flags=re.S)
    for name in block_names(resnet):
        assert f"<td>{name}</td>" in outside, name
    assert "1×1 convolution 8 → 16, resize" in outside
    assert "1 prunable (may be pruned)" in outside
    assert "two heads look alike" in outside
    assert "multiply-adds ·" in outside
    macs = measure(resnet, Marks()).flops[convs[3].id]
    assert f"<td>{short(macs)}</td>" in outside
    assert text.count("<svg") == 1, "the explorable graph makes its own"


def block_names(program: Program) -> list[str]:
    return list(program.blocks[0].vars)


def test_one_program_has_no_pairs(resnet: Program) -> None:
    text = render_report(make_drawing(resnet)).decode()
    assert 'id="pairs"' not in text.partition("<iframe")[0]
    assert "No convolutions." in text


def test_hostile_names_stay_text() -> None:
    text = hostile().decode()
    assert "<img" not in text
    assert text.count("<script") == 1, "that of the frame is inside its attribute"


def test_the_report_in_a_browser(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(hostile())
    browser.requests.clear()
    browser.errors.clear()
    browser.call("Page.navigate", url=path.as_uri())
    browser.until("document.readyState === 'complete' && document.querySelector('iframe') !== null")
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.run("window.attacked") is None
    assert not browser.errors
    assert not [url for url in browser.requests if not url.startswith(("file:", "about:"))]
    rows = "[...document.querySelectorAll('details tbody tr')]"
    before = browser.run(f"{rows}.length")
    browser.run(
        "(() => { const f = document.querySelectorAll('.filter'); const last = f[f.length - 1];"
        " last.value = 'zzz'; last.dispatchEvent(new Event('input')); })()"
    )
    assert browser.run(f"{rows}.filter((row) => !row.hidden).length") < before


@pytest.mark.parametrize("name", ["report.html", "report.css", "report.js"])
def test_the_page_asks_for_nothing_from_outside(name: str) -> None:
    from graphprobe.drawing.renderers.html import asset

    assert not re.findall(r"https?://|@import|url\(", asset(name))
