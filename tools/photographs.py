"""A folder of pictures with YOLO's text files, as a user has one: what tools/tour.py begins with.

The pictures are scenes of real handwritten digits (graphprobe's data `digits`).
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from graphprobe.data.open import open_data
from graphprobe.data.sample import Sample

NAMES = ("zero", "one", "two")


def write_photographs(folder: Path, count: int, *, size: int = 64) -> None:
    """Pictures in `folder`/images, a text file each in `folder`/labels, and classes.txt.

    Args:
        folder: is made.
        count: of pictures.
        size: pixels of a side.
    """
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "classes.txt").write_text("\n".join(NAMES) + "\n")
    scenes = open_data(f"digits?count={count}&size={size}&classes={len(NAMES)}")
    for number in range(count):
        scene = scenes.sample(number)
        Image.fromarray(scene.image).save(folder / "images" / f"{number:04}.jpg", quality=95)
        (folder / "labels" / f"{number:04}.txt").write_text(label_lines(scene))


def label_lines(scene: Sample) -> str:
    """A line an object: class, centre and sides over those of the picture."""
    height, width = scene.size
    lines = []
    for kind, (x1, y1, x2, y2) in zip(scene.classes, scene.boxes, strict=True):
        shares = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height,
                  (x2 - x1) / width, (y2 - y1) / height)  # fmt: skip
        lines.append(f"{kind} {' '.join(f'{share:.6f}' for share in shares)}\n")
    return "".join(lines)
