"""A small VOC folder made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


class VocFolder:
    """Writes images, annotations and lists below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (root / name).mkdir(parents=True)

    @property
    def spec(self) -> str:
        return f"voc:{self.root}"

    def picture(self, name: str, size: tuple[int, int] = (40, 60), suffix: str = ".jpg") -> None:
        height, width = size
        rng = np.random.default_rng(len(name))
        pixels = rng.integers(0, 255, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(self.root / "JPEGImages" / (name + suffix))

    def annotation(self, name: str, objects: Sequence[str], size: str = "") -> None:
        text = f"<annotation><filename>{name}.jpg</filename>{size}{''.join(objects)}</annotation>"
        (self.root / "Annotations" / f"{name}.xml").write_text(text, encoding="utf-8")

    def list(self, split: str, names: Sequence[str]) -> None:
        (self.root / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(names) + "\n")

    def add(self, name: str, *objects: str) -> None:
        self.picture(name)
        self.annotation(name, objects)


def thing(name: str, box: Sequence[object], difficult: str = "0") -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    corners = "".join(f"<{side}>{value}</{side}>" for side, value in sides)
    return (
        f"<object><name>{name}</name><difficult>{difficult}</difficult>"
        f"<bndbox>{corners}</bndbox></object>"
    )


@pytest.fixture
def an_object() -> Callable[..., str]:
    return thing


@pytest.fixture
def voc(tmp_path: Path) -> VocFolder:
    """Three images of 60 x 40 pixels; one object is difficult, one image has none."""
    folder = VocFolder(tmp_path / "set")
    folder.add("one", thing("dog", (1, 1, 20, 10)), thing("cat", (11, 5, 60, 40), "1"))
    folder.add("two", thing("dog", (5, 6, 7, 8)))
    folder.add("three")
    folder.list("train", ["one", "three"])
    folder.list("val", ["two"])
    return folder
