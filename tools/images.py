"""Draw the pictures of docs/images anew: python tools/images.py

Bundled models only, so that anyone can draw them. Each picture is a page of a drawing in at most
256 colours and 200 kB. Needs paddle (for the bundled models) and pypdfium2.
"""

from __future__ import annotations

from pathlib import Path

import pypdfium2
from PIL import Image

import graphprobe

STUDENT, TEACHER = "zoo:yolov3_mobilenet_v1", "zoo:yolov3_r34"
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
MOST_BYTES = 200_000
# File name -> options of `graphprobe.draw`, the page, and pixels a point.
PICTURES: dict[str, tuple[dict[str, object], int, float]] = {
    "student-stages": ({}, 0, 1.6),
    "student-and-teacher": ({"teacher": TEACHER}, 0, 1.5),
    "multiply-adds": ({"teacher": TEACHER, "color_by": "flops"}, 0, 1.5),
    "stages-in-detail": ({"teacher": TEACHER}, 1, 1.4),
    "focus-concat": ({"focus": "concat$", "hops": 1}, 0, 1.4),
}


def main() -> None:
    for name, (options, page, scale) in PICTURES.items():
        content = graphprobe.draw(STUDENT, **options).render("pdf")  # type: ignore[arg-type]
        image = pypdfium2.PdfDocument(content)[page].render(scale=scale).to_pil()
        path = FOLDER / f"{name}.png"
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
        size = path.stat().st_size
        print(f"{path}: {image.width} x {image.height}, {size:,} bytes")
        if size > MOST_BYTES:
            raise SystemExit(f"{path} is larger than {MOST_BYTES:,} bytes: take a smaller scale")


if __name__ == "__main__":
    main()
