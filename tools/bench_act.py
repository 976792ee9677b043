"""Training steps of an exported program: graphprobe beside PaddleSlim's auto-compression.

    python tools/bench_act.py MODEL --size 48x192 [--batch 16] [--steps 40] [--turns 3]

Both prune MODEL (a folder with .pdmodel and .pdiparams) by one ratio and distil what is left from
the whole, on the same random images, with as many threads. Each way runs in a process of its own,
the two in turns: CPU seconds a step, of all threads, without the first quarter, and the peak
memory. Auto-compression compares the output that `graphprobe pairs` names by l2, graphprobe by its
own loss. --keep names what auto-compression cannot prune, as a filter in front of a reshape.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

RATIO, RATE = 0.25, 1e-4


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--keep", help="a regular expression of filters that stay")
    parser.add_argument("--size", default="48x192", help="H x W of the images")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--alone", choices=("act", "graphprobe"), help=argparse.SUPPRESS)
    return parser.parse_args()


def pictures(folder: Path, options: argparse.Namespace) -> None:
    """Random images, one file each, as many as all steps see."""
    from PIL import Image

    height, width = map(int, options.size.split("x"))
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(options.steps * options.batch):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05d}.png")


def times_of(clocks: list[float]) -> list[float]:
    """CPU seconds between points in time, of all threads, without the first quarter."""
    steps = [later - sooner for sooner, later in zip(clocks, clocks[1:], strict=False)]
    return steps[len(steps) // 4 :]


def prunable(options: argparse.Namespace) -> Any:
    """What both ways prune."""
    import graphprobe

    return graphprobe.find_prunable(
        str(options.model), policy="coupled", ratio=RATIO, keep=options.keep
    )


def graphprobe_alone(folder: Path, options: argparse.Namespace) -> list[float]:
    """What `graphprobe train --student MODEL prune.yaml` does, with the images of all steps."""
    import graphprobe
    from graphprobe.training.runtime.step import Engine

    clocks: list[float] = []
    step = Engine.step

    def timed(self: Any, *words: Any, **more: Any) -> Any:
        clocks.append(time.process_time())
        return step(self, *words, **more)

    Engine.step = timed  # type: ignore[method-assign]
    pruning = folder / "prune.yaml"
    prunable(options).write(pruning)
    height, width = map(int, options.size.split("x"))
    graphprobe.train(
        pruning,
        data=f"images:{folder / 'images'}",
        override={
            "train.data.train": f"images:{folder / 'images'}",
            "train.data.val": None,
            "train.preparation": {
                "mean": [0.5] * 3,
                "std": [0.5] * 3,
                "size": [height, width],
            },
            "train.batch_size": options.batch,
            "train.max_iters": options.steps,
            "train.learning_rate": {"base": RATE, "warmup_steps": 0, "milestones": []},
            "train.workers": 0,
            "train.snapshot_iter": options.steps,
            "train.output": str(folder / "run"),
        },
        device="cpu",
        progress=lambda _: None,
    )
    return times_of(clocks[-options.steps :])  # the check has taken steps before


def act_alone(folder: Path, options: argparse.Namespace) -> list[float]:
    """Auto-compression with channel pruning and distillation by the whole program."""
    import graphprobe
    from graphprobe.training.runtime.process import import_paddle

    import_paddle()
    import paddle
    from paddleslim.auto_compression import AutoCompression
    from PIL import Image

    found = prunable(options)
    pair = graphprobe.find_pairs(str(options.model), str(options.model)).pairs[0]
    feed = found.program.program.feeds[0]
    files = sorted((folder / "images").glob("*.png"))
    clocks: list[float] = []

    def batches() -> Iterator[list[dict[str, Any]]]:
        for begin in range(0, len(files), options.batch):
            pixels = np.stack(
                [np.asarray(Image.open(f)) for f in files[begin : begin + options.batch]]
            )
            values = ((pixels / 255 - 0.5) / 0.5).transpose(0, 3, 1, 2).astype(np.float32)
            clocks.append(time.process_time())
            yield [{feed: np.ascontiguousarray(values)}]

    paddle.enable_static()
    stems = [next(options.model.glob(f"*{s}")).name for s in (".pdmodel", ".pdiparams")]
    config = {
        "Distillation": {"alpha": 1.0, "loss": "l2", "node": [pair.teacher]},
        "ChannelPrune": {
            "pruned_ratio": RATIO,
            "criterion": "l1_norm",
            "prune_params_name": found.params,
        },
        "TrainConfig": {
            "epochs": 1,
            "eval_iter": 10 * options.steps,
            "learning_rate": RATE,
            "optimizer_builder": {"optimizer": {"type": "Adam"}},
        },
    }
    AutoCompression(
        model_dir=str(options.model),
        model_filename=stems[0],
        params_filename=stems[1],
        save_dir=str(folder / "act"),
        config=config,
        train_dataloader=batches,
        eval_callback=None,
    ).compress()
    return times_of(clocks[-options.steps :])


WAYS = {"act": act_alone, "graphprobe": graphprobe_alone}


def in_own_process(way: str) -> dict[str, float]:
    command = [sys.executable, __file__, *sys.argv[1:], "--alone", way]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"failed: {done.stderr.strip()[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    options = arguments()
    if options.alone:
        with TemporaryDirectory() as folder:
            pictures(Path(folder) / "images", options)
            steps = WAYS[options.alone](Path(folder), options)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"step": statistics.median(steps), "peak": peak}))
        return 0
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(options.turns):
        for way in WAYS:
            found[way].append(in_own_process(way))
    print(f"{options.model.name}, {options.size} pixels, batch {options.batch}")
    print(f"  {'':<12}{'CPU s a step':>13}{'least':>9}{'peak MB':>9}")
    medians = {}
    for way, runs in found.items():
        steps, peaks = ([run[key] for run in runs] for key in ("step", "peak"))
        medians[way] = statistics.median(steps), statistics.median(peaks)
        print(f"  {way:<12}{medians[way][0]:>13.3f}{min(steps):>9.3f}{medians[way][1]:>9.0f}")
    faster = medians["act"][0] / medians["graphprobe"][0]
    larger = medians["graphprobe"][1] / medians["act"][1]
    print(f"  {faster:.2f} times as fast, {larger:.2f} of the memory")
    return 0 if faster >= 1 and larger <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
