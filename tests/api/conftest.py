"""Small programs that the use cases are tried on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from graphprobe import programs
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder

ANCHORS = ((116, 90, 156, 198, 373, 326), (30, 61, 62, 45, 59, 119))


def detector(filters: int, source: str = "") -> Program:
    """Two YOLO heads, at strides 4 and 2, of 20 classes."""
    b = Builder()
    fine = b.conv(b.feed("image", (-1, 3, 64, 64)), filters, k=3, stride=2)
    coarse = b.conv(fine, filters, k=3, stride=2)
    for level, anchors, ratio in ((fine, ANCHORS[1], 2), (coarse, ANCHORS[0], 4)):
        attrs = {"anchors": anchors, "class_num": 20, "downsample_ratio": ratio}
        b.op("yolo_box", {"X": b.conv(level, 75)}, attrs=attrs)
    return b.build(source=source)


@pytest.fixture
def small() -> Program:
    """The student."""
    return detector(8, "small")


@pytest.fixture
def big() -> Program:
    """The teacher."""
    return detector(16, "big")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Programs called small and big; how often each is read."""
    counts: Counter[str] = Counter()
    named: dict[str, Callable[[], Program]] = {
        "small": lambda: detector(8, "small"),
        "big": lambda: detector(16, "big"),
    }

    def read(text: str) -> Program:
        counts[text] += 1
        return named[text]()

    monkeypatch.setattr(programs, "load_program", read)
    return counts
