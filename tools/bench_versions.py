"""Training steps of YOLOv3-R34 -> MobileNetV1 under each Paddle that is installed beside this one.

A process for each environment makes the same networks and batches, and they take turns: some steps
of the one, then of the other, so that whatever else the machine does meets both. The environments
are `.venv`, `.venv-2.6.2` and `.venv-3.3.1`, the first of each Paddle; `make install PADDLE=3.3.1`
makes one. With less than two there is nothing to compare, and it says so.

python tools/bench_versions.py                        # width 0.5, 160 pixels, batch 8
python tools/bench_versions.py --scale 1 --turns 3    # the published width
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent
ENVIRONMENTS = (".venv", ".venv-2.6.2", ".venv-3.3.1")
WORKER = "--worker"
# A median that is so much above the older version's counts as slower: what turns differ by.
SLOWER = 1.05


class Worker:
    """A process of one environment, which does some steps whenever it is asked."""

    def __init__(self, env: Path, words: list[str]) -> None:
        command = [env / "bin" / "python", __file__, WORKER, *words]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self.turns = int(self._answer()["turns"])  # when it is ready

    def turn(self) -> None:
        """Some steps; the first turn warms up."""
        assert self._process.stdin is not None
        print("go", file=self._process.stdin, flush=True)
        answer = self._answer()
        if self.losses:
            self.seconds.append(answer["seconds"])
        self.losses += answer["losses"]

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"failed: a worker ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def work() -> None:
    """Steps by the batches of a run, AT_ONCE for each line that comes in."""
    sys.path.insert(0, str(TOOLS))
    import bench_train as bench

    from graphprobe.training.runtime.process import import_paddle

    sys.argv.remove(WORKER)
    options = bench.arguments()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what else is printed does not mix with the answers
    import_paddle()
    import paddle

    paddle.enable_static()
    with TemporaryDirectory() as folder:
        config = bench.config_of(options, folder + "/run")
        run = bench.graphprobe_way(config)
        feeds = list(bench.batches_of(config))
        starts = range(0, len(feeds), bench.AT_ONCE)
        print(json.dumps({"turns": len(starts)}), file=out, flush=True)
        for begin in starts:
            if not sys.stdin.readline():
                return
            clock = time.perf_counter()
            losses = run(feeds[begin : begin + bench.AT_ONCE])
            seconds = (time.perf_counter() - clock) / bench.AT_ONCE
            print(json.dumps({"losses": losses, "seconds": seconds}), file=out, flush=True)


def environments() -> dict[str, Path]:
    """Paddle's version -> the first environment that has it, by version."""
    found: dict[str, Path] = {}
    for name in ENVIRONMENTS:
        sites = [str(path) for path in (ROOT / name).glob("lib/python*/site-packages")]
        for one in distributions(name="paddlepaddle", path=sites) if sites else ():
            found.setdefault(one.version, ROOT / name)
    return dict(sorted(found.items()))


def main() -> int:
    if WORKER in sys.argv:
        work()
        return 0
    found = environments()
    if len(found) < 2:
        print("needs a second Paddle: make install PADDLE=3.3.1")
        return 0
    workers = {version: Worker(env, sys.argv[1:]) for version, env in found.items()}
    before = os.getloadavg()
    for number in range(min(worker.turns for worker in workers.values())):
        # the one that begins a pair changes, so that neither always runs after the other
        order = list(workers.values())[:: 1 if number % 2 else -1]
        for worker in order:
            worker.turn()
    first, last = (workers[name] for name in (min(workers), max(workers)))
    load = " ".join(f"{one:.1f}" for one in (*before[:1], *os.getloadavg()[:1]))
    print(f"  load of the machine before and after: {load} (these processes make 2)")
    print(f"  {'Paddle':<10}{'s a step':>10}{'best':>8}")
    for version, worker in workers.items():
        middle = statistics.median(worker.seconds)
        print(f"  {version:<10}{middle:>10.3f}{min(worker.seconds):>8.3f}")
    pairs = [b / a for a, b in zip(first.seconds, last.seconds, strict=True)]
    ratio = statistics.median(pairs)
    apart = abs(first.losses[0] - last.losses[0]) / abs(first.losses[0])
    print(f"  {max(workers)} takes {ratio:.2f} of the time of {min(workers)} "
          f"({min(pairs):.2f} to {max(pairs):.2f} in {len(pairs)} turns)")  # fmt: skip
    print(f"  first loss {apart:.1e} apart")
    return 0 if ratio <= SLOWER else 1


if __name__ == "__main__":
    sys.exit(main())
