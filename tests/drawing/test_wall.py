"""The wall page: everything on one sheet, by stride, with pairs, shares and figures."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from graphprobe.drawing import Drawing, Marks, make_drawing, render
from graphprobe.drawing.figures import measure, short
from graphprobe.drawing.layout.boxes import MIN_TEXT, SMALL, TITLE, Box
from graphprobe.drawing.layout.routes import Columns
from graphprobe.drawing.pages.book import make_book
from graphprobe.drawing.pages.sheet import A3, A4, Page
from graphprobe.drawing.pages.wall import make_wall
from graphprobe.drawing.strides import Stride
from graphprobe.drawing.text import width
from graphprobe.ir import Pair, Program, PruneDecision
from graphprobe.ir.builder import Builder
from graphprobe.programs import load_program
from graphprobe.zoo import zoo_names

SHEETS = [A4, A4[::-1], A3, A3[::-1]]


def detector(filters: int, channels_out: int) -> tuple[Program, list[str]]:
    """A backbone to stride 32 with a head at 32, and one at 16 behind a resize."""
    b = Builder()
    x = b.feed("image", (-1, 3, 64, 64))
    seen = {}
    for stride in (2, 4, 8, 16, 32):
        size = 64 // stride
        x = b.conv(x, filters * stride, k=3, stride=2)
        x = b.op("relu", {"X": x}, shape=(-1, filters * stride, size, size))
        seen[stride] = x
    low = b.conv(x, channels_out, k=1)
    up = b.op(
        "nearest_interp_v2", {"X": x}, attrs={"scale": (2.0, 2.0)}, shape=(-1, 32 * filters, 4, 4)
    )
    joined = b.op("concat", {"X": [up, seen[16]]}, shape=(-1, 48 * filters, 4, 4))
    high = b.conv(joined, channels_out, k=1)
    return b.build([low, high]), [low, high]


def boxes_of(page: Page) -> Iterator[Box]:
    for placed in page.placed:
        yield from placed.scene.boxes


def text_ends(box: Box) -> Iterator[tuple[str, float]]:
    """Every text of a box and where it ends, from the left edge, as the painter places it."""
    start = 9.0
    badges = sum(width(badge, SMALL, True) + 4 for badge in box.badges)
    end = start + width(box.number + "  ", SMALL) + width(box.title, TITLE, True) + badges
    yield box.title, end
    for line in box.lines:
        yield line, start + width(line, SMALL)
    for chip in box.chips:
        yield chip.text, start + chip.x + 7.5 + width(chip.text, SMALL)


def check_page(page: Page) -> None:
    """Nothing leaves its box or the sheet, nothing overlaps, nothing is too small."""
    for box in boxes_of(page):
        for text, end in text_ends(box):
            assert end <= box.w - 1, (text, end, box.w)
        lines = len(box.lines) + (box.chips[-1].row + 1 if box.chips else 0)
        assert 4 + TITLE + 8.6 * lines <= box.h + 1, box.title
    for placed in page.placed:
        assert placed.scale * SMALL >= MIN_TEXT
        for box in placed.scene.boxes:
            assert placed.x + box.x * placed.scale >= 0
            assert placed.x + (box.x + box.w) * placed.scale <= page.size[0]
            assert placed.y + (box.y + box.h) * placed.scale <= page.size[1]
        for a, b in combinations(placed.scene.boxes, 2):
            apart = a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y
            assert apart, (a.title, b.title)


def paired() -> tuple[Page, Program]:
    student, ours = detector(2, 6)
    teacher, theirs = detector(8, 6)
    pairs = [
        Pair(a, b, (), (), f"head, stride {s}", "l2", 2.5, 1.0, "rule")
        for a, b, s in zip(ours, theirs, (32, 16), strict=True)
    ]
    return make_wall(make_drawing(student, teacher, pairs=pairs)), student


def test_student_and_teacher_stand_side_by_side_by_stride() -> None:
    page, _ = paired()
    check_page(page)
    left, right = page.placed
    assert left.x + left.scene.width * left.scale < right.x
    drawing_rows = []
    for placed in page.placed:
        heads = [box for box in placed.scene.boxes if box.badges]
        drawing_rows.append([(box.badges, round(box.y)) for box in sorted(heads, key=str)])
    assert drawing_rows[0] == drawing_rows[1], "paired heads stand at one height"
    assert {"stride 32", "stride 16", "stride 2"} <= {text.text for text in page.texts}


def test_pairs_are_lines_named_with_role_loss_and_weight() -> None:
    page, _ = paired()
    assert sorted(link.text for link in page.links) == ["P1 head: l2 × 2.5", "P2 head: l2 × 2.5"]
    for link in page.links:
        (x1, _), (x2, _) = link.points
        assert x1 < x2


def test_figures_are_those_of_the_program() -> None:
    page, student = paired()
    params = sum(
        int(var.shape[0] * var.shape[1] * var.shape[2] * var.shape[3])
        for var in student.parameters
        if var.shape is not None and len(var.shape) == 4
    )
    text = " ".join(t.text for t in page.texts)
    assert f"{short(params)} parameters" in text
    # Moving statistics are not trained; what the boxes say adds up to what the heading says.
    figures = measure(student, Marks())
    assert figures.size is not None and sum(figures.params.values()) == figures.size.params
    # 3x3, 3 -> 4 channels at 32x32 positions.
    assert figures.flops[0] == 3 * 4 * 9 * 32 * 32


def test_shares_are_of_channels_and_of_what_stays() -> None:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 30, k=3, name="a")
    x = b.conv(x, 10, k=3, name="b")
    b.conv(x, 8, k=3, name="c")
    program = b.build()
    decisions = {
        f"{name}.w_0": PruneDecision(f"{name}.w_0", at, "conv2d", (), 1, status)
        for at, (name, status) in enumerate(
            (("a", "prunable"), ("b", "follower"), ("c", "prunable")), 1
        )
    }
    after = {"a.w_0": (15, 3, 3, 3), "b.w_0": (10, 15, 3, 3)}
    page = make_wall(make_drawing(program, marks=Marks(decisions, frozenset({"a.w_0"}), after)))
    check_page(page)
    chips = {chip.text for box in boxes_of(page) for chip in box.chips}
    lines = {line for box in boxes_of(page) for line in box.lines}
    total = {chip.split()[1]: int(chip.split("%")[0]) for chip in chips}
    assert total == {"target": 62, "follower": 21, "prunable": 17}  # of 48 channels
    assert "69% of channels stay" in lines  # 33 of 48
    assert any(text.text.startswith("after pruning: ") for text in page.texts)


def test_without_findings_there_are_no_shares(resnet: Program) -> None:
    page = make_wall(make_drawing(resnet))
    assert not any(box.chips for box in boxes_of(page))


def test_the_book_and_the_picture_begin_with_the_wall(resnet: Program) -> None:
    drawing = make_drawing(resnet, resnet)
    wall = make_wall(drawing)
    assert make_book(drawing)[0].placed == wall.placed
    assert b"in bands by stride" in render(drawing, "x.svg")


def test_short_counts() -> None:
    found = [short(n) for n in (0, 7, 999, 1000, 3712, 999_999, 24_200_000, 21.7e9)]
    assert found == ["0", "7", "999", "1 k", "3.71 k", "1 M", "24.2 M", "21.7 G"]


def test_every_band_is_a_stride_of_the_program() -> None:
    student, _ = detector(2, 6)
    drawing = make_drawing(student)
    strides = {drawing.sides[0].fold.strides[at] for at in range(len(student.ops))}
    shown = {text.text for text in make_wall(drawing).texts if text.text.startswith("stride")}
    assert shown <= {f"stride {s}" for s in strides if isinstance(s, Stride)} | {"stride 1"}


@pytest.mark.parametrize("name", ["picodet_s_320_coco_lcnet", "retinanet_r50_fpn_1x_coco",
                                  "rtdetr_r18vd_6x_coco", "segformer_b0", "yolox_s_300e_coco",
                                  "pspnet_r50", "clas_ShuffleNetV2_x1_0",
                                  "ssd_vgg16_300_240e_voc"])  # fmt: skip
def test_exported_models_fit_one_sheet(shared_cases: Path, name: str) -> None:
    program = load_program(str(shared_cases / "exported" / f"{name}.pdmodel"))
    page = make_wall(make_drawing(program))
    check_page(page)
    assert page.size in SHEETS


@pytest.mark.parametrize("level", ["stage", "block", "unit", "op", "raw"])
def test_text_stays_in_its_box_at_every_level(resnet: Program, level: str) -> None:
    for page in make_book(make_drawing(resnet, level=level)):  # type: ignore[arg-type]
        for box in boxes_of(page):
            for text, end in text_ends(box):
                assert end <= box.w - 1, (level, text)


@pytest.mark.parametrize("seed", range(5))
def test_what_stands_between_two_boxes_against_looking_at_all(seed: int) -> None:
    pick = random.Random(seed)  # noqa: S311 - not for secrets
    boxes = [
        Box(n, pick.choice((0.0, 100.0, 150.0)), 40.0 * pick.randrange(30), 90.0, 30.0, "", "",
            (), (), (), (), "op")
        for n in range(40)
    ]  # fmt: skip
    columns = Columns(boxes)
    for a, b in combinations(sorted(boxes, key=lambda box: box.y), 2):
        left, right = max(a.x, b.x), min(a.x + a.w, b.x + b.w)
        wanted = any(
            c.x < right and c.x + c.w > left and a.y + a.h < c.y + c.h <= b.y
            for c in boxes
            if c.node not in (a.node, b.node)
        )
        assert columns.between(a, b) == wanted


def test_a_chain_stands_in_one_line() -> None:
    b = Builder()
    x = b.feed("image", (-1, 4, 8, 8))
    for _ in range(6):
        x = b.op("relu", {"X": x}, shape=(-1, 4, 8, 8))
    drawing = make_drawing(b.build([x]), level="op")
    (placed,) = make_book(drawing)[0].placed
    middles = {round(box.x + box.w / 2, 1) for box in placed.scene.boxes}
    assert len(middles) == 1


def exported() -> list[str]:
    """Exported networks in shared/ and in the folder that GRAPHPROBE_SURVEY names."""
    shared = Path(__file__).resolve().parents[3] / "shared"
    folders = [shared / "cases" / "exported", shared / "models"]
    if "GRAPHPROBE_SURVEY" in os.environ:
        folders.append(Path(os.environ["GRAPHPROBE_SURVEY"]))
    return sorted(
        str(path)
        for folder in folders
        if folder.is_dir()
        for path in folder.iterdir()
        if path.suffix == ".pdmodel" or (folder.name == "models" and is_program(path))
    )


def is_program(path: Path) -> bool:
    return path.suffix != ".md" and path.name != "not_a_program"


def check_text(drawing: Drawing) -> None:
    for page in make_book(drawing):
        for box in boxes_of(page):
            for text, end in text_ends(box):
                assert end <= box.w - 1, text
        for text in page.texts:
            assert text.x + width(text.text, text.size, text.bold) <= page.size[0] - 8, text.text


@pytest.mark.parametrize("path", exported(), ids=lambda path: Path(path).stem)
def test_text_stays_in_its_box_on_exported_networks(path: str) -> None:
    check_text(make_drawing(load_program(path)))


@pytest.mark.paddle
@pytest.mark.parametrize("name", zoo_names())
def test_text_stays_in_its_box_on_bundled_models(name: str) -> None:
    check_text(make_drawing(load_program(f"zoo:{name}")))
