"""Time drawings side by side with Paddle's own: python tools/bench_draw.py [--quick] [--models DIR]

With --models, first a line for each program file in a folder and for ten of it in a row: ops a
second of folding (the best of three, CPU time), and CPU seconds of each format. Then one line a
measurement: the YOLOv3 train program with backward and optimizer as PDF, with IrGraph.draw (stopped
after --patience seconds) and in Netron (where it is installed), an HTML page of 5,000 nodes in a
headless browser where there is one, and the folded view of 100,000 ops.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench_netron import browser_module
from bench_netron import main as beside_netron

from graphprobe.drawing import make_drawing, render
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder

STUDENT = "zoo:yolov3_mobilenet_v1?mode=train"
TEACHER = "zoo:yolov3_r34?mode=train"


def train_program(text: str) -> bytes:
    """A bundled model with its backward and optimizer ops, as a ProgramDesc."""
    import numpy  # noqa: F401 - before paddle
    import paddle

    from graphprobe.zoo import build_zoo, parse_zoo

    paddle.enable_static()
    built = build_zoo(parse_zoo(text), "train")
    with paddle.static.program_guard(built.main, built.startup):
        paddle.optimizer.Momentum(0.01, 0.9).minimize(built.main.global_block().var(built.loss))
    content: bytes = built.main.desc.serialize_to_string()
    return content


def long_chain(ops: int) -> Program:
    """Residual blocks of convolution, norm and activation."""
    b = Builder()
    x = b.feed("image", (-1, 3, 224, 224))
    while len(b._block.ops) < ops:
        y = x
        for _ in range(3):
            x = b.conv(x, 64, k=3)
            for type_ in ("batch_norm", "relu"):
                x = b.op(type_, {"X": x}, shape=(-1, 64, 56, 56))
        if len(b._block.ops) > 12:
            x = b.op("elementwise_add", {"X": x, "Y": y}, shape=(-1, 64, 56, 56))
    return b.build()


def tangle(ops: int) -> Program:
    """Additions of far-away variables: nothing to fold by structure."""
    b = Builder()
    names = [b.feed("image", (-1, 4, 8, 8))]
    for at in range(ops):
        slots = {"X": names[-1], "Y": names[(at * 7919) % len(names)]}
        names.append(b.op("elementwise_add", slots, shape=(-1, 4, 8, 8)))
    return b.build()


def timed(name: str, program: Program, suffix: str) -> bytes:
    start = time.perf_counter()
    content = render(make_drawing(program), f"x.{suffix}")
    print(f"{name}: {suffix} {time.perf_counter() - start:.2f} s, {len(content) / 1e6:.2f} MB")
    return content


def repeated(program: Program, times: int) -> Program:
    """A program several times in a row: the first image feeds all, names get a number."""
    block = program.blocks[0]
    variables, ops = dict(block.vars), list(block.ops)
    for copy in range(1, times):
        fresh = {name: f"{name}#{copy}" for name in block.vars}
        fresh |= {name: name for name in program.feeds}
        for name, var in block.vars.items():
            variables[fresh[name]] = replace(var, name=fresh[name])
        for op in block.ops:
            if op.type not in ("feed", "fetch"):
                ops.append(
                    replace(
                        op,
                        id=len(ops),
                        inputs=_renamed(op.inputs, fresh),
                        outputs=_renamed(op.outputs, fresh),
                    )
                )
    whole = replace(block, ops=tuple(ops), vars=variables)
    return replace(program, blocks=(whole, *program.blocks[1:]))


def _renamed(
    slots: Mapping[str, tuple[str, ...]], fresh: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    return {slot: tuple(fresh.get(n, n) for n in names) for slot, names in slots.items()}


def cpu(run: Callable[[], Any], times: int = 1) -> float:
    """CPU seconds of the fastest of several runs."""
    best = math.inf
    for _ in range(times):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def models(folder: Path) -> None:
    from graphprobe.drawing.folding.fold import fold
    from graphprobe.programs import load_program

    for path in sorted(folder.iterdir()):
        if path.suffix not in (".pdmodel", ".json"):
            continue
        program = load_program(str(path))
        for times in (1, 10):
            whole = repeated(program, times) if times > 1 else program
            count = len(whole.ops)
            # The program keeps its dataflow: a fresh copy is folded each time.
            speed = count / cpu(lambda w=whole: fold(replace(w)), 3)  # type: ignore[misc]
            spent = [
                f"{name} {cpu(lambda w=whole, n=name: render(make_drawing(w), f'x.{n}')):.2f} s"  # type: ignore[misc]
                for name in ("pdf", "svg", "html")
            ]
            print(f"{path.stem} x {times}: {count:,} ops, {speed:,.0f} ops/s, {', '.join(spent)}")


def _irgraph(content: bytes, queue: Any) -> None:
    os.setsid()  # so that it can be ended together with the `dot` that it starts
    from graphprobe.drawing.irgraph import draw_irgraph
    from graphprobe.formats import load_bytes

    queue.put(len(draw_irgraph(load_bytes(content, "bench"))))


def irgraph(name: str, content: bytes, patience: float) -> None:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_irgraph, args=(content, queue))
    start = time.perf_counter()
    process.start()
    process.join(patience)
    if process.is_alive():
        os.killpg(process.pid, signal.SIGKILL)
        print(f"{name}: IrGraph.draw stopped after {patience:.0f} s without an end")
    elif process.exitcode == 0:
        print(f"{name}: IrGraph.draw {time.perf_counter() - start:.2f} s with the start of paddle")
    else:
        print(f"{name}: IrGraph.draw failed (paddle and dot are needed)")
    process.join()


def browser_ready(name: str, program: Program, level: str | None) -> None:
    module = browser_module()
    found = module.find()
    if found is None:
        print(f"{name}: no browser here")
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.html"
        file.write_bytes(render(make_drawing(program, level=level), file.name))  # type: ignore[arg-type]
        browser = module.Browser(found, Path(folder) / "home")
        times = []
        for _ in range(3):
            browser.open(file)
            times.append(float(browser.run("document.body.dataset.ready")) / 1000)
        nodes = browser.run("document.querySelectorAll('.node').length")
        browser.close()
        size = file.stat().st_size / 1e6
    shown = ", ".join(f"{t:.2f}" for t in times)
    print(
        f"{name}: {nodes:,} nodes on the screen after {shown} s "
        f"(first load, then reloads), {size:.2f} MB"
    )


def flat(nodes: int) -> Program:
    b = Builder()
    x = b.feed("image", (-1, 4, 8, 8))
    for at in range(nodes // 4):
        y = b.op("relu" if at % 2 else "sigmoid", {"X": x}, shape=(-1, 4, 8, 8))
        z = b.op("tanh", {"X": y}, shape=(-1, 4, 8, 8))
        w = b.conv(y, 4, k=3)
        x = b.op("elementwise_add", {"X": z, "Y": w}, shape=(-1, 4, 8, 8))
    return b.build()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patience", type=float, default=30.0, help="seconds for IrGraph.draw")
    parser.add_argument("--quick", action="store_true", help="leave IrGraph.draw out")
    parser.add_argument("--models", type=Path, help="a folder of program files to fold and draw")
    options = parser.parse_args()
    if options.models is not None:
        models(options.models)
        beside_netron(sorted(map(str, options.models.glob("*.pdmodel"))))
    from graphprobe.formats import load_bytes

    browser_ready("flat, --level op", flat(5000), "op")
    browser_ready("folded", flat(5000), None)
    for name, program in (("chain", long_chain(100_000)), ("tangle", tangle(100_000))):
        for suffix in ("svg", "pdf", "html"):
            timed(f"{name} of {len(program.ops):,} ops", program, suffix)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    for text in (STUDENT, TEACHER):
        content = train_program(text)
        program = load_bytes(content, text)
        name = f"{text} with backward and optimizer, {len(program.ops)} ops"
        for suffix in ("pdf", "html", "svg"):
            timed(name, program, suffix)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{text.partition(':')[2].partition('?')[0]}.pdmodel"
            file.write_bytes(content)
            beside_netron([str(file)])
        if not options.quick:
            irgraph(name, content, options.patience)


if __name__ == "__main__":
    main()
