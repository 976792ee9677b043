"""Kill training runs again and again with SIGKILL, resume them each time, compare at the end.

A run goes through undisturbed; others with the same settings are killed at random moments (while
they start, while a checkpoint is written, between two of them) and go on with ``-r auto``
until they have ended. Every array of weights and optimizer, every logged loss, every evaluation and
the result must be the same to the last bit. A run that ended before its next kill is compared and
the next one begins.

    python tools/kills.py --kills 100                  # a bundled model
    python tools/kills.py --kills 100 --exported       # train --student FOLDER --data images:F
    python tools/kills.py --kills 100 --exported --processes 2    # one of two is killed, both end
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
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import yaml

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))

from warm import Warm  # noqa: E402

MODEL = "zoo:yolov3_mobilenet_v1?num_classes=2&scale=0.05"
TRAIN = {
    "image_size": 32,
    "batch_size": 2,
    "snapshot_iter": 1,
    "eval_iter": 10,
    "keep_last": 2,
    "log_iter": 1,
    "workers": 0,
}
# A process of several waits so long for those that never come, in place of five minutes.
WAIT = """
from graphprobe.compat import communicators
from graphprobe.training.distributed import failure_detector
from graphprobe_cli.main import main

communicators.CONNECT_TIMEOUT_S = failure_detector.CONNECT_TIMEOUT_S = 20
main()
"""
# What a result holds that the clock decides, or where it lies.
BY_THE_CLOCK = {"seconds", "images_per_second", "data_wait", "output"}


def bundled(folder: Path, output: Path, iterations: int, program: str) -> list[str]:
    """The words after ``train`` for a bundled model: a config is written."""
    train = TRAIN | {
        "data": {
            "train": "digits?count=12&size=32&classes=2",
            "val": "digits?split=val&count=4&size=32&classes=2",
        },
        "augment": {"expand": False, "crop": False},
        "max_iters": iterations,
        "learning_rate": {"base": 1e-4, "warmup_steps": 2, "milestones": [iterations // 2]},
        "output": str(output),
    }
    plain = {"version": 1, "kind": "train", "student": {"program": program}, "train": train}
    path = folder / f"{output.name}.yaml"
    path.write_text(yaml.safe_dump(plain))
    return [str(path)]


def exported(folder: Path, output: Path, iterations: int) -> list[str]:
    """The words after ``train`` for an exported model, which is pruned and taught by itself."""
    made = folder / "exported"
    words = ["--student", str(made / "model"), "--prune", "0.3"]
    words += ["--data", f"images:{made / 'images'}"]
    train = TRAIN | {
        "max_iters": iterations,
        "learning_rate.warmup_steps": 2,
        "output": str(output),
    }
    for key, value in train.items():
        words += ["-o", f"train.{key}={value}"]
    return words


class Runs:
    """Starts, kills and waits for the processes of one run."""

    def __init__(self, warm: Warm, folder: Path, processes: int) -> None:
        self.warm, self.folder, self.processes = warm, folder, processes

    def start(self, words: list[str]) -> list[int]:
        """The processes of ``graphprobe train``, as the launcher starts them."""
        words = ["train", *words, "--device", "cpu"]
        if self.processes == 1:
            return [self.warm.start(self.folder / "log", *words)]
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = int(server.getsockname()[1])
        ends = [f"127.0.0.1:{port + i}" for i in range(self.processes)]
        script = self.folder / "wait.py"
        script.write_text(WAIT)
        return [
            self.warm.start(
                self.folder / f"log.{number}", *words, script=str(script),
                PADDLE_TRAINER_ID=str(number), PADDLE_TRAINERS_NUM=str(self.processes),
                PADDLE_TRAINER_ENDPOINTS=",".join(ends), PADDLE_CURRENT_ENDPOINT=ends[number],
            )
            for number in range(self.processes)
        ]  # fmt: skip

    def end(self, words: list[str]) -> None:
        """A run to its end."""
        statuses = [self.warm.wait(pid) for pid in self.start(words)]
        if any(statuses):
            sys.exit(f"error: a run ended with {statuses}; see {self.folder}")

    def kill_one(self, pids: list[int], rng: random.Random) -> bool:
        """Kill one with SIGKILL; the others must end by themselves.

        Returns:
            False where the run had ended well before.
        """
        victim = rng.choice(pids)
        os.kill(victim, signal.SIGKILL)
        status = self.warm.wait(victim)
        others = [self.warm.wait(pid) for pid in pids if pid != victim]
        if status == 0 and not any(others):
            return False
        if status not in (0, -signal.SIGKILL):
            sys.exit(f"error: a run ended with {status} before it was killed; see {self.folder}")
        # The last process may have been through when its partner was killed on the way out.
        return status != 0


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def newest(output: Path) -> int:
    """The iteration of the newest checkpoint; 0 without one."""
    latest = output / "checkpoints" / "latest"
    return int(latest.read_text()) if latest.exists() else 0


def saving(output: Path) -> bool:
    """Whether a checkpoint is half written."""
    return any((output / "checkpoints").glob(".tmp-*"))


def wait_for_moment(
    moment: str, pids: list[int], output: Path, life: dict[str, float], rng: random.Random
) -> None:
    """Wait until a run is to be killed, or one of its processes has ended."""
    before = newest(output)
    wanted = before + rng.randrange(1, 3)
    stop = time.monotonic() + (rng.uniform(0, life["start"]) if moment == "starting" else 600)
    while time.monotonic() < stop and all(map(alive, pids)):
        if moment == "saving" and newest(output) >= wanted - 1 and saving(output):
            # A save takes some 20 ms.
            time.sleep(rng.uniform(0, 0.02))
            return
        if moment == "stepping" and newest(output) >= wanted:
            time.sleep(rng.uniform(0, life["step"]))
            return
        time.sleep(0.002)


def lines(path: Path) -> list[dict[str, Any]]:
    """A file with a json object a line, without what the clock decides."""
    found = [json.loads(line) for line in path.open()] if path.exists() else []
    return [{k: v for k, v in line.items() if k not in BY_THE_CLOCK} for line in found]


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
    for name in ("metrics.jsonl", "evaluations.jsonl"):
        found += [name] if lines(one / name) != lines(other / name) else []
    results = [json.loads((p / "result.json").read_text()) for p in (one, other)]
    for result in results:
        for part in (result.get("pruning") or {}).values():
            part.pop("latency_ms", None)
    keys = (results[0].keys() | results[1].keys()) - BY_THE_CLOCK
    found += [f"result {key}" for key in keys if results[0].get(key) != results[1].get(key)]
    found += [f"left: {p.name}" for p in (other / "checkpoints").glob(".tmp-*")]
    return sorted(found)


def main() -> int:
    """Run, kill, compare; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--processes", type=int, default=1, choices=(1, 2))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=30, help="of one run")
    parser.add_argument("--program", default=MODEL)
    parser.add_argument("--exported", action="store_true", help="an exported file, not --program")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    folder = Path(tempfile.mkdtemp(prefix="graphprobe-kills-"))
    whole = folder / "whole"

    def words(output: Path) -> list[str]:
        if options.exported:
            return exported(folder, output, options.iterations)
        return bundled(folder, output, options.iterations, options.program)

    began, moments, runs_done = time.monotonic(), Counter[str](), 0
    wrong: list[str] = []
    with Warm() as warm:
        runs = Runs(warm, folder, options.processes)
        if options.exported:
            script = str(TOOLS / "tiny_export.py")
            warm.wait(warm.start(folder / "log", str(folder / "exported"), script=script))
        start = time.monotonic()
        runs.end(words(whole))
        steps = sum(json.loads(x)["seconds"] for x in (whole / "metrics.jsonl").open())
        life = {"start": time.monotonic() - start - steps, "step": steps / options.iterations}
        while moments.total() < options.kills or runs_done == 0:
            parts = folder / f"parts-{runs_done}"
            going = moments.total() < options.kills
            while going:
                moment = rng.choice(("starting", "saving", "stepping"))
                pids = runs.start([*words(parts), "-r", "auto"])
                wait_for_moment(moment, pids, parts, life, rng)
                in_save = saving(parts)
                if not runs.kill_one(pids, rng):
                    break
                moments["saving" if in_save or saving(parts) else moment] += 1
                told = f"\r{moments.total()} kills, run {runs_done + 1} at {newest(parts)}  "
                sys.stderr.write(told)
                going = moments.total() < options.kills
            else:
                runs.end([*words(parts), "-r", "auto"])
            wrong += [f"{parts.name} {x}" for x in differences(whole, parts, options.iterations)]
            runs_done += 1
    sys.stderr.write("\r")
    name = "an exported model" if options.exported else options.program
    print(
        f"{name}, {options.processes} process(es): {moments.total()} kills "
        f"({', '.join(f'{count} {moment}' for moment, count in sorted(moments.items()))}) "
        f"of {runs_done} runs of {options.iterations} iterations, "
        f"{time.monotonic() - began:.0f} s: "
        + (f"{len(wrong)} differ: {', '.join(wrong[:5])}" if wrong else "bit-equal")
    )
    if not wrong:
        shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
