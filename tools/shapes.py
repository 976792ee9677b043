"""What programs of one shape cost as they grow: seconds of CPU, and the ratio when ops double.

A ratio of 2 is linear, 4 is the square, 8 the cube. A job that is not done within its limit is
stopped; one that is refused in a line says so.

    python tools/shapes.py                         # all shapes, a few thousand ops
    python tools/shapes.py --sizes 25000 50000 100000 --shapes fan split --jobs pairs coupled
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from typing import Any

from graphprobe.errors import GraphprobeError
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder

SIZES = (1000, 2000, 4000)
LIMIT = 60.0
MAP = (-1, 8, 16, 16)


def _start() -> tuple[Builder, str]:
    b = Builder()
    return b, b.conv(b.feed("image", (-1, 3, 16, 16)), 8, k=3)


def _ended(b: Builder, x: str) -> Program:
    """With an output, so that there are pairs."""
    return _given_out(b, [b.op("softmax", {"X": b.conv(x, 4)}, shape=(-1, 4, 16, 16))])


def _given_out(b: Builder, names: list[str]) -> Program:
    """With ops that give these out: a file has its outputs from them."""
    for column, name in enumerate(names):
        b.op("fetch", {"X": name}, {"Out": "fetch"}, {"col": column})
    return b.build()


def _sum(b: Builder, parts: list[str]) -> str:
    return b.op("sum", {"X": parts}, shape=MAP)


def chain(n: int) -> Program:
    """Convolutions and activations, one after the other."""
    b, x = _start()
    for _ in range(n // 2):
        x = b.op("relu", {"X": b.conv(x, 8, k=3)}, shape=MAP)
    return _ended(b, x)


def fan(n: int) -> Program:
    """As many convolutions as ops on one value, and their sum."""
    b, x = _start()
    return _ended(b, _sum(b, [b.conv(x, 8) for _ in range(n)]))


def fan_of_relu(n: int) -> Program:
    """As many activations of one value, a convolution behind each."""
    b, x = _start()
    ways = [b.conv(b.op("relu", {"X": x}, shape=MAP), 8) for _ in range(n // 2)]
    return _ended(b, _sum(b, ways))


def split(n: int) -> Program:
    """One value split into as many parts as ops, and joined again."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 16, 16)), n, k=1)
    outs = {"Out": [f"part_{i}" for i in range(n // 2)]}
    b.op("split", {"X": x}, outs, {"axis": 1, "num": n // 2}, shape=(-1, 2, 16, 16))
    ways = [b.op("relu", {"X": name}, shape=(-1, 2, 16, 16)) for name in outs["Out"]]
    both = b.op("concat", {"X": ways}, attrs={"axis": 1}, shape=(-1, n // 2 * 2, 16, 16))
    return _ended(b, both)


def concat_of_concats(n: int) -> Program:
    """Each concat takes the one before and a new convolution."""
    b, x = _start()
    channels, image = 8, x
    for _ in range(n // 2):
        channels += 1
        parts = [x, b.conv(image, 1)]
        x = b.op("concat", {"X": parts}, attrs={"axis": 1}, shape=(-1, channels, 16, 16))
    return _ended(b, x)


def ladder(n: int) -> Program:
    """Two chains with a rung at each step."""
    b, x = _start()
    y = b.conv(x, 8)
    for _ in range(n // 4):
        x, y = b.conv(x, 8, k=3), b.conv(y, 8, k=3)
        both = b.op("elementwise_add", {"X": x, "Y": y}, shape=MAP)
        y = b.op("relu", {"X": both}, shape=MAP)
    return _ended(b, _sum(b, [x, y]))


def all_pairs(n: int) -> Program:
    """As many sums of two as ops, over all pairs of a few values."""
    b, x = _start()
    width = max(2, int((2 * n) ** 0.5))
    values = [b.conv(x, 8) for _ in range(width)]
    sums = [
        b.op("elementwise_add", {"X": one, "Y": other}, shape=MAP)
        for i, one in enumerate(values)
        for other in values[:i]
    ]
    return _ended(b, _sum(b, sums[:n]))


def many_heads(n: int) -> Program:
    """A third as many outputs as ops, each of a convolution and a softmax."""
    b, x = _start()
    heads = [
        b.op("softmax", {"X": b.conv(x, 4)}, shape=(-1, 4, 16, 16)) for _ in range(max(1, n // 3))
    ]
    return _given_out(b, heads)


def dense_blocks(n: int) -> Program:
    """Blocks of eight layers, each of which reads all before it."""
    b, x = _start()
    for _ in range(n // 25):
        parts = [x]
        for layer in range(8):
            shape = (-1, 8 * (layer + 1), 16, 16)
            whole = parts[0]
            if layer:
                whole = b.op("concat", {"X": list(parts)}, attrs={"axis": 1}, shape=shape)
            parts.append(b.op("relu", {"X": b.conv(whole, 8, k=3)}, shape=MAP))
        x = b.conv(parts[-1], 8)
    return _ended(b, x)


SHAPES: dict[str, Callable[[int], Program]] = {
    "chain": chain,
    "fan": fan,
    "fan of relu": fan_of_relu,
    "split": split,
    "concat of concats": concat_of_concats,
    "ladder": ladder,
    "all pairs": all_pairs,
    "many heads": many_heads,
    "dense blocks": dense_blocks,
}


def _vars(program: Any) -> None:
    from graphprobe import list_variables

    list_variables(program).to_dict()


def _pairs(program: Any) -> None:
    from graphprobe import find_pairs

    find_pairs(program, program).to_dict()


def _prune(policy: str) -> Callable[[Any], None]:
    def job(program: Any) -> None:
        from graphprobe import find_prunable

        find_prunable(program, policy=policy).to_dict()

    return job


def _draw(form: str) -> Callable[[Any], None]:
    def job(program: Any) -> None:
        from graphprobe import draw

        draw(program).render(form)

    return job


def _report(program: Any) -> None:
    from graphprobe import report

    report(program, teacher=program)


JOBS: dict[str, Callable[[Any], None]] = {
    "vars": _vars,
    "pairs": _pairs,
    "seeds": _prune("seeds"),
    "coupled": _prune("coupled"),
    "pdf": _draw("pdf"),
    "html": _draw("html"),
    "report": _report,
}


def measure(shape: str, job: str, size: int, limit: float) -> tuple[float | None, str]:
    """Seconds of CPU of a job on a program read from a file, or None and why there are none."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_work, args=(theirs, shape, job, size)
    )
    process.start()
    theirs.close()
    found: tuple[float | None, str] = (None, f"over {limit:.0f} s")
    if ours.poll(30 + limit * 4):  # the build, and a machine that others use too
        try:
            found = ours.recv()
        except EOFError:
            found = (None, "died")
    process.kill()
    process.join()
    return found


def _work(pipe: Any, shape: str, job: str, size: int) -> None:
    from graphprobe import load
    from graphprobe.formats import load_bytes, write_program

    program = load(load_bytes(write_program(SHAPES[shape](size)), shape))
    JOBS[job]  # noqa: B018 - an unknown name fails before the clock runs
    began = time.process_time()
    try:
        JOBS[job](program)
    except GraphprobeError as error:
        pipe.send((None, f"refused: {error.message}"))
    else:
        pipe.send((time.process_time() - began, ""))


def main() -> int:
    """A line for each shape and job: the seconds at each size, and the last ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds")
    options = parser.parse_args()
    print("CPU seconds (ratio to the size before)")
    head = "".join(f"{size:>16,}" for size in options.sizes)
    print(f"{'shape':18} {'job':8}{head}", flush=True)
    for shape in options.shapes:
        for job in options.jobs:
            cells, before = [], None
            for size in options.sizes:
                seconds, why = measure(shape, job, size, options.limit)
                if seconds is None:
                    cells.append(f"{why:>16}")
                    break
                ratio = f" ({seconds / before:.1f})" if before else ""
                cells.append(f"{f'{seconds:.2f}{ratio}':>16}")
                before = max(seconds, 1e-6)
            print(f"{shape:18} {job:8}{''.join(cells)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
