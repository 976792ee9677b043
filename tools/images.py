"""Draw the pictures of docs/images anew: python tools/images.py [--programs FOLDER]

Of bundled models, so that anyone can draw them; with --programs, also of exported ones in a folder
(picodet_s_320_coco_lcnet.pdmodel and rtdetr_r18vd_6x_coco.pdmodel of PaddleDetection's configs of
these names), which are no part of the project. Each picture is a page of a drawing in at most
256 colours and 200 kB; where a Chromium is found, also what it shows of the HTML page. Needs paddle
(for the bundled models) and pypdfium2.
"""

from __future__ import annotations

import argparse
import runpy
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pypdfium2
from PIL import Image

import graphprobe
from graphprobe.drawing import render
from graphprobe.drawing.diff.drawing import make_diff
from graphprobe.ir import Program
from graphprobe.programs import load_program

STUDENT, TEACHER = "zoo:yolov3_mobilenet_v1", "zoo:yolov3_r34"
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "images"
MOST_BYTES = 200_000
# File name -> options of `graphprobe.draw`, the page, and pixels a point.
PICTURES: dict[str, tuple[dict[str, object], int, float]] = {
    "student-stages": ({}, 0, 1.6),
    "student-and-teacher": ({"teacher": TEACHER}, 0, 1.5),
    "multiply-adds": ({"teacher": TEACHER, "color_by": "flops"}, 0, 1.5),
    "stages-in-detail": ({"teacher": TEACHER}, 1, 1.4),
    "focus-concat": ({"focus": "concat$", "hops": 1}, 0, 1.4),
}
# File name -> program (a name without a colon is a file of --programs), page 1.
NETWORKS = {
    "yolov3": ("zoo:yolov3_r34", 1.3),
    "deeplabv3p": ("zoo:deeplabv3p_mobilenetv2", 1.3),
    "picodet": ("picodet_s_320_coco_lcnet.pdmodel", 1.3),
    "rtdetr": ("rtdetr_r18vd_6x_coco.pdmodel", 1.1),
}
# File name -> width, height, whether it is a phone, what is done on the page of both.
SCREENS = {
    "interactive-page": (
        1400, 860, False,
        "revealOp(graph.writer(0, 'conv2d_6.tmp_0')), zoom(0.75), shift(0, -90), 0",
    ),
    "page-on-a-phone": (390, 844, True, "show(graph.pairEnds(0)[0]), showPair(0), 0"),
}  # fmt: skip


def pruned(program: Program) -> Program:
    """The student with half the channels of every group, as shapes of its parameters."""
    plan = graphprobe.find_prunable(STUDENT, policy="coupled", ratio=0.5).choice.plan
    after = plan.shapes_after({v.name: v.shape for v in program.parameters if v.shape})
    block = program.blocks[0]
    variables = {n: replace(v, shape=after.get(n, v.shape)) for n, v in block.vars.items()}
    origin = replace(program.origin, source=f"{STUDENT}, pruned")
    return replace(
        program, blocks=(replace(block, vars=variables), *program.blocks[1:]), origin=origin
    )


def contents(programs: Path | None) -> Iterator[tuple[str, bytes, int, float]]:
    """Name, PDF, page and scale of each picture."""
    for name, (options, page, scale) in PICTURES.items():
        yield name, graphprobe.draw(STUDENT, **options).render("pdf"), page, scale  # type: ignore[arg-type]
    student = load_program(STUDENT)
    yield "before-and-after", render(make_diff(student, pruned(student)), "x.pdf"), 0, 1.4
    for name, (source, scale) in NETWORKS.items():
        if ":" in source:
            yield name, graphprobe.draw(source).render("pdf"), 0, scale
        elif programs is not None:
            yield name, graphprobe.draw(programs / source).render("pdf"), 0, scale


def screens() -> Iterator[tuple[str, Image.Image]]:
    """Name and picture of what a browser shows, where there is one."""
    driver = runpy.run_path(str(ROOT / "tests" / "drawing" / "_browser.py"))
    path = driver["find"]()
    if path is None:
        print("no Chromium was found: pictures of the HTML page are left out")
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        page = Path(folder) / "page.html"
        page.write_bytes(graphprobe.draw(STUDENT, teacher=TEACHER).render("html"))
        browser = driver["Browser"](path, Path(folder) / "home")
        for name, (width, height, phone, script) in SCREENS.items():
            browser.resize(width, height, phone)
            browser.open(page)
            browser.run(script)
            yield name, Image.open(BytesIO(browser.screenshot()))
        browser.close()


def save(name: str, image: Image.Image) -> None:
    path = FOLDER / f"{name}.png"
    image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path}: {image.width} x {image.height}, {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"{path} is larger than {MOST_BYTES:,} bytes: take a smaller scale")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, help="a folder of exported programs")
    for name, content, page, scale in contents(parser.parse_args().programs):
        save(name, pypdfium2.PdfDocument(content)[page].render(scale=scale).to_pil())
    for name, image in screens():
        save(name, image)


if __name__ == "__main__":
    main()
