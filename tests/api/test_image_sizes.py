"""The size of images that a run trains at follows the data where it is left open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import graphprobe
from graphprobe.api.image_sizes import fit_image_size
from graphprobe.config import TrainSection
from graphprobe.data.sample import Sample
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder


@dataclass
class Images:
    """Blank images of some sizes."""

    sizes: tuple[tuple[int, int], ...]
    task: str = "detection"
    class_names: tuple[str, ...] = ("a",)
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sizes)

    def sample(self, index: int) -> Sample:
        image, none = np.zeros((*self.sizes[index], 3), np.uint8), np.zeros(0)
        return Sample(
            str(index), image, np.zeros((0, 4), np.float32), none.astype(np.int64),
            none.astype(bool), none.astype(np.float32),
        )  # fmt: skip


def program(height: int = -1, width: int = -1) -> Program:
    b = Builder()
    b.conv(b.feed("image", (-1, 3, height, width)), 4)
    return b.build()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        (((96, 96),), 96),
        (((60, 97), (20, 30)), 128),
        (((364, 100),), 384),
        (((365, 100),), 608),
        (((480, 640),), 608),
        (((50, 50), (1200, 900)), 608),
        ((), 608),
    ],
)
def test_small_images_are_not_enlarged(sizes: tuple[tuple[int, int], ...], expected: int) -> None:
    lines: list[str] = []
    made = fit_image_size(TrainSection(), Images(sizes), [program()], lines.append)
    assert made.image_size == expected
    assert len(lines) == (expected != 608)
    if lines:
        longest = max(max(size) for size in sizes)
        assert f"at most {longest} pixels a side; trains at {expected} x {expected}" in lines[0]


def test_what_is_fixed_stays() -> None:
    small, open_ = Images(((96, 96),)), TrainSection(image_size=416)
    assert fit_image_size(open_, small, [program(), program(416, 416)], print) is open_
    assert fit_image_size(open_, Images(((96, 96),), "segmentation"), [program()], print) is open_


def test_pairs_take_the_size_of_small_images() -> None:
    lines: list[str] = []
    found = graphprobe.find_pairs(
        "zoo:yolov3_mobilenet_v1?scale=0.1",
        "zoo:yolov3_r34?scale=0.1",
        data="digits?count=8",
        progress=lines.append,
    )
    config = found.to_config()
    assert config.train.image_size == 96
    assert any("trains at 96 x 96, not at the published 608 x 608" in line for line in lines)


@pytest.mark.parametrize("count", [1, 23, 24, 25, 47, 48, 1000])
def test_no_more_than_24_images_are_looked_at(count: int) -> None:
    data, seen = Images(((96, 96),) * count), set()
    sample = data.sample
    data.sample = lambda index: (seen.add(index), sample(index))[1]  # type: ignore[method-assign]
    assert fit_image_size(TrainSection(), data, [program()], lambda _: None).image_size == 96
    assert min(count, 12) <= len(seen) <= 24
