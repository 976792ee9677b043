"""Group finding: graphprobe beside PaddleSlim's StaticPruningCollections, in one run.

python tools/bench_prune.py            # ResNet-101 and DenseNet-121, then synthetic programs
python tools/bench_prune.py --fast     # ResNet-18 instead
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import TypeVar

os.environ.setdefault("GLOG_minloglevel", "2")

import numpy as np  # noqa: F401 - must come before paddle

from graphprobe.formats import load_bytes
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.groups import PruneGroup, prune_groups

Result = TypeVar("Result")
# Ours takes hundredths of a second: the median of so many. PaddleSlim takes seconds, and runs once.
RUNS = 5


def synthetic(ops: int) -> Program:
    """Convolution, norm, activation; a residual add every third block, a concat every tenth."""
    b = Builder()
    x = start = b.conv(b.feed("image", (-1, 3, 32, 32)), 64, 3)
    for i in range(ops // 4):
        y = b.conv(x, 64, 3)
        names = {s: b.param(f"bn{i}.{s}", (64,)) for s in ("Scale", "Bias", "Mean", "Variance")}
        y = b.op("batch_norm", {"X": y, **names}, {"Y": f"bn{i}.y"}, shape=(-1, 64, 32, 32))
        y = b.op("relu", {"X": y}, shape=(-1, 64, 32, 32))
        if i % 10 == 9:
            y = b.op("concat", {"X": [y, start]}, attrs={"axis": 1}, shape=(-1, 128, 32, 32))
            y = start = b.conv(y, 64)
        elif i % 3 == 2:
            y = b.op("elementwise_add", {"X": x, "Y": y}, shape=(-1, 64, 32, 32))
        x = y
    return b.build([x])


def vision(name: str) -> tuple[bytes, object]:
    """A program of paddle.vision, as bytes and as it is."""
    import paddle

    paddle.enable_static()
    main = paddle.static.Program()
    startup = paddle.static.Program()
    with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard():
        image = paddle.static.data("image", [-1, 3, 224, 224])
        getattr(paddle.vision.models, name)()(image)
    return main.desc.serialize_to_string(), main


def timed(work: Callable[[], Result], times: int) -> tuple[float, Result]:
    """Median CPU seconds of some runs, and what the work gives.

    Both sides compute in one thread, so this is the time on a quiet machine, also on a busy one.
    """
    taken = []
    for _ in range(times):
        start = time.process_time()
        result = work()
        taken.append(time.process_time() - start)
    return median(taken), result


def ours(program: Program) -> tuple[PruneGroup, ...]:
    """The groups of the fuller of the two policies."""
    return prune_groups(find_prunable(program, "coupled"))


def beside_paddleslim(name: str) -> None:
    content, main = vision(name)
    reading, program = timed(lambda: load_bytes(content, name), RUNS)
    seconds, groups = timed(lambda: ours(program), RUNS)
    from paddleslim.prune.collections import StaticPruningCollections

    logging.disable(logging.WARNING)
    filters = list(dict.fromkeys(d.param for d in find_prunable(program).decisions))
    slim, theirs = timed(lambda: StaticPruningCollections(filters, main), 1)
    print(
        f"{name}: {len(filters)} filters; graphprobe {seconds:.3f} s ({len(groups)} groups; "
        f"reading {reading:.3f} s), PaddleSlim {slim:.1f} s ({len(list(theirs))} collections): "
        f"{slim / (seconds + reading):.0f} times faster"
    )


def main() -> None:
    for ops in (1_150, 11_500, 115_000):  # come to 1,000, 10,000 and 100,000
        program = synthetic(ops)
        seconds, groups = timed(lambda program=program: ours(program), 1)
        print(f"synthetic, {len(program.ops)} ops: {seconds:.2f} s, {len(groups)} groups")
    names = ["resnet18"] if "--fast" in sys.argv[1:] else ["resnet101", "densenet121"]
    for name in names:
        beside_paddleslim(name)


if __name__ == "__main__":
    main()
