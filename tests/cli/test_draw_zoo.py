"""The drawings of the bundled models: the student on one page, pairs side by side, configs."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from graphprobe_cli._errors import run
from graphprobe_cli.main import build_app

from graphprobe.api.findings import gather
from graphprobe.drawing.layout.boxes import MIN_TEXT, SMALL
from graphprobe.drawing.pages.book import make_book
from graphprobe.drawing.pages.sheet import A4
from graphprobe.programs import load

pytestmark = pytest.mark.paddle

STUDENT, TEACHER = "zoo:yolov3_mobilenet_v1", "zoo:yolov3_r34"


def graphprobe(*words: object) -> int:
    argv = [str(word) for word in words]
    return run(build_app(argv[0]), argv)


def test_the_student_is_one_readable_a4_page() -> None:
    page = make_book(gather(load(STUDENT), None).drawing())[0]
    assert sorted(page.size) == sorted(A4)
    assert min(placed.scale for placed in page.placed) * SMALL >= MIN_TEXT
    boxes = [box for placed in page.placed for box in placed.scene.boxes]
    assert 15 <= len(boxes) <= 30
    chips = " ".join(chip.text for box in boxes for chip in box.chips)
    assert all(word in chips for word in ("prunable", "depthwise", "concat", "output"))


def test_pairs_are_found_and_joined_on_one_page() -> None:
    pages = make_book(gather(load(STUDENT), TEACHER).drawing())
    assert sorted(link.text for link in pages[0].links) == [
        f"P{n} yolo head: l2 × 100" for n in (1, 2, 3)
    ]
    assert any(
        "conv2d_20.tmp_1 → conv2d_6.tmp_1" in text.text for page in pages for text in page.texts
    )
    assert len(pages) <= 12


def test_configs_give_pairs_and_targets(tmp_path: Path) -> None:
    pairs, prune, out = (tmp_path / name for name in ("distill.yaml", "prune.yaml", "x.pdf"))
    assert graphprobe("pairs", "--student", STUDENT, "--teacher", TEACHER, "-o", pairs) == 0
    assert graphprobe("prune-regex", STUDENT, "-o", prune) == 0
    assert graphprobe("draw", STUDENT, "--pairs", pairs, "--prune", prune, "-o", out) == 0
    text = "\n".join(p.extract_text() for p in pypdf.PdfReader(BytesIO(out.read_bytes())).pages)
    assert "3 pairs of student and teacher" in text
    assert "target: named by the prune config" in text


def test_configs_of_another_program_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs, out = tmp_path / "distill.yaml", tmp_path / "x.pdf"
    assert graphprobe("pairs", "--student", STUDENT, "--teacher", TEACHER, "-o", pairs) == 0
    capsys.readouterr()
    assert graphprobe("draw", TEACHER, "--pairs", pairs, "-o", out) == 2
    said = capsys.readouterr().err
    assert "fingerprint" in said
    assert said.count("\n") == 1
    assert not out.exists()


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's dot")
def test_irgraph_draws_its_page(tmp_path: Path) -> None:
    out = tmp_path / "x.pdf"
    assert graphprobe("draw", STUDENT, "--level", "raw", "--engine", "irgraph", "-o", out) == 0
    assert len(pypdf.PdfReader(out).pages) == 1
