"""Kill a training run again and again with SIGKILL, resume it each time, and compare at the end.

A run of a bundled model goes through undisturbed; a second one with the same config is killed at
random moments (while it starts, steps, evaluates, saves) and goes on with ``-r auto``. At the
end every array of weights and optimizer, every logged loss and the result must be the same to
the last bit. With ``--processes 2`` one of two processes is killed, and the other must end by
itself.

    python tools/kills.py --kills 100
    python tools/kills.py --kills 20 --processes 2
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from warm import Warm  # noqa: E402

MODEL = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
# A process whose partner died must have noticed by then.
ALONE_SECONDS = 60


def config(program: str, output: Path, iterations: int) -> dict[str, Any]:
    """A run of small pictures that saves at each iteration."""
    data = "digits?count=12&size=32&classes=2"
    return {
        "version": 1,
        "kind": "train",
        "student": {"program": program},
        "train": {
            "data": {"train": data, "val": "digits?split=val&count=4&size=32&classes=2"},
            "augment": {"expand": False, "crop": False},
            "image_size": 32,
            "batch_size": 2,
            "max_iters": iterations,
            "learning_rate": {"base": 1e-4, "warmup_steps": 2, "milestones": [iterations // 2]},
            "snapshot_iter": 1,
            "eval_iter": 20,
            "keep_last": 2,
            "log_iter": 1,
            "workers": 0,
            "output": str(output),
        },
    }


class Runs:
    """Starts, kills and waits for the processes of one run."""

    def __init__(self, warm: Warm, folder: Path, processes: int) -> None:
        self.warm, self.folder, self.processes = warm, folder, processes

    def start(self, path: Path, *words: str) -> list[int]:
        """The processes of ``graphprobe train``, as the launcher starts them."""
        log = self.folder / "log"
        if self.processes == 1:
            return [self.warm.start(log, "train", str(path), "--device", "cpu", *words)]
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = int(server.getsockname()[1])
        ends = [f"127.0.0.1:{port + i}" for i in range(self.processes)]
        return [
            self.warm.start(
                self.folder / f"log.{number}", "train", str(path), "--device", "cpu", *words,
                PADDLE_TRAINER_ID=str(number), PADDLE_TRAINERS_NUM=str(self.processes),
                PADDLE_TRAINER_ENDPOINTS=",".join(ends), PADDLE_CURRENT_ENDPOINT=ends[number],
            )
            for number in range(self.processes)
        ]  # fmt: skip

    def whole(self, path: Path, *words: str) -> None:
        """A run to its end."""
        statuses = [self.warm.wait(pid) for pid in self.start(path, *words)]
        if any(statuses):
            sys.exit(f"error: a run ended with {statuses}; see {self.folder}")

    def kill_one(self, pids: list[int], rng: random.Random) -> None:
        """Kill one with SIGKILL; the others must end by themselves."""
        victim = rng.choice(pids)
        os.kill(victim, signal.SIGKILL)
        if self.warm.wait(victim) != -signal.SIGKILL:
            sys.exit("error: the run had ended before it was killed")
        for pid in pids:
            if pid != victim and self.warm.wait(pid) == 0:
                sys.exit("error: a process whose partner was killed ended as if all were well")


def newest(output: Path) -> int:
    """The iteration of the newest checkpoint; 0 without one."""
    latest = output / "checkpoints" / "latest"
    return int(latest.read_text()) if latest.exists() else 0


def differences(one: Path, other: Path, iteration: int) -> list[str]:
    """What is not the same of two runs that ended at an iteration, by name."""
    found = []
    for name in ("weights", "optimizer"):
        part = Path("checkpoints") / f"{iteration:06d}" / f"{name}.npz"
        with np.load(one / part) as a, np.load(other / part) as b:
            if set(a.files) != set(b.files):
                found.append(f"names of {name}")
            same = [k for k in a.files if k in b.files and a[k].tobytes() == b[k].tobytes()]
            found += [f"{name}/{key}" for key in set(a.files) - set(same)]
    lines = [[json.loads(x) for x in (p / "metrics.jsonl").open()] for p in (one, other)]
    losses = [[(x["iter"], x["lr"], x["loss/total"]) for x in run] for run in lines]
    found += ["losses"] if losses[0] != losses[1] else []
    results = [json.loads((p / "result.json").read_text()) for p in (one, other)]
    keys = ("value", "best", "best_iteration")
    found += [f"result {key}" for key in keys if results[0].get(key) != results[1].get(key)]
    return sorted(found)


def main() -> int:
    """Run, kill, compare; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--processes", type=int, default=1, choices=(1, 2))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", default=MODEL)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    iterations = 2 * options.kills + 4
    folder = Path(tempfile.mkdtemp(prefix="graphprobe-kills-"))
    whole, parts = folder / "whole", folder / "parts"
    for output in (whole, parts):
        text = yaml.safe_dump(config(options.program, output, iterations))
        (folder / f"{output.name}.yaml").write_text(text)
    began, at = time.monotonic(), {"starting": 0, "later": 0}
    with Warm() as warm:
        runs = Runs(warm, folder, options.processes)
        start = time.monotonic()
        runs.whole(folder / "whole.yaml")
        life = time.monotonic() - start
        for number in range(options.kills):
            before, more = newest(parts), rng.randrange(3)
            pids = runs.start(folder / "parts.yaml", "-r", "auto")
            while more and newest(parts) < before + more:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, life / iterations if more else min(life, 3)))
            runs.kill_one(pids, rng)
            at["later" if more else "starting"] += 1
            told = f"\r{number + 1} kills, at iteration {newest(parts)}"
            sys.stderr.write(told)
        runs.whole(folder / "parts.yaml", "-r", "auto")
    sys.stderr.write("\r")
    wrong = differences(whole, parts, iterations)
    print(
        f"{options.program}, {options.processes} process(es), {iterations} iterations: "
        f"{options.kills} kills ({at['starting']} from the start on, {at['later']} after a "
        f"save), {time.monotonic() - began:.0f} s: "
        + (f"{len(wrong)} differ: {', '.join(wrong[:5])}" if wrong else "bit-equal")
    )
    if not wrong:
        shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
