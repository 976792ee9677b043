"""Time `find_pairs` on detection networks of 1,000, 10,000 and 100,000 ops a side.

    python tools/bench_pairs.py

The networks are chains of residual blocks with three YOLO heads, made by the builder; parsing is
not part of the time.
"""

from __future__ import annotations

import sys
import time

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.pairing.find import find_pairs, pair_rules

SIZES = (1_000, 10_000, 100_000)
OPS_PER_BLOCK = 7
ANCHORS = ((116, 90, 156, 198, 373, 326), (30, 61, 62, 45, 59, 119), (10, 13, 16, 30, 33, 23))


def detector(ops: int) -> Program:
    """A backbone of five strides with residual blocks, and a head at each of the last three."""
    b = Builder()
    at = b.feed("image", (-1, 3, -1, -1))
    levels = []
    for _ in range(5):
        at = same(b, "relu", b.conv(at, 32, k=3, stride=2))
        for _ in range(ops // 5 // OPS_PER_BLOCK):
            at = block(b, at)
        levels.append(at)
    for level, anchors, ratio in zip(reversed(levels), ANCHORS, (32, 16, 8), strict=False):
        attrs = {"anchors": anchors, "class_num": 20, "downsample_ratio": ratio}
        b.op("yolo_box", {"X": b.conv(level, 75)}, attrs=attrs)
    return b.build()


def block(b: Builder, at: str) -> str:
    """Two convolutions with norm and activation, and the shortcut."""
    x = same(b, "relu", same(b, "batch_norm", b.conv(at, 32)))
    x = same(b, "batch_norm", b.conv(x, 32, k=3))
    return same(b, "relu", same(b, "elementwise_add", x, Y=at))


def same(b: Builder, type: str, x: str, **more: str) -> str:
    """An op that keeps the shape."""
    return b.op(type, {"X": x, **more}, shape=(-1, 32, -1, -1))


def main() -> int:
    print(f"{'ops a side':>10}  {'rule':<16}{'pairs':>6}{'seconds':>9}")
    for size in SIZES:
        student, teacher = detector(size), detector(size)
        for rule in (None, *pair_rules()):
            start = time.perf_counter()
            report = find_pairs(student, teacher, rule)
            seconds = time.perf_counter() - start
            name = rule or "(default)"
            print(f"{len(student.ops):>10,}  {name:<16}{len(report.pairs):>6}{seconds:>9.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
