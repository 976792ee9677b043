"""Training steps of YOLOv3-R34 -> MobileNetV1: graphprobe beside PaddleSlim's own calls.

The recipe is that of slim/distillation/distill.py in PaddleDetection 0.x: the teacher's whole
program is merged into the student's, l2 times 100 on the three heads is added to the loss, Momentum
minimizes it, and one program runs, with additions and activations fused. Both ways get the same
models, first values, batches and threads. Speed is measured in one process, some steps of the one
and of the other in turns; memory and waiting for data in a process each.

python tools/bench_train.py                             # width 0.5, 160 pixels, batch 8
python tools/bench_train.py --scale 1 --turns 3         # the published width
python tools/bench_train.py --scale 1 --sizes 320 608   # one of these sizes for each batch
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HEADS = (
    ("conv2d_20.tmp_1", "conv2d_6.tmp_1"),
    ("conv2d_28.tmp_1", "conv2d_14.tmp_1"),
    ("conv2d_36.tmp_1", "conv2d_22.tmp_1"),
)
WEIGHT, RATE = 100.0, 1e-6
AT_ONCE, WANTED, AGREE = 4, 2.0, 1e-4
FLAG = "FLAGS_new_executor_serial_run"  # graphprobe sets it for its steps
Feeds = list[dict[str, Any]]
Way = Callable[[Feeds], list[float]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.5, help="width of both networks")
    parser.add_argument("--size", type=int, default=160, help="of the pictures, in pixels")
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="one of them each batch")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--turns", type=int, default=5, help=f"timed turns of {AT_ONCE} steps")
    parser.add_argument("--data", help="what train.data.train takes; by default scenes of digits")
    parser.add_argument("--alone", choices=("recipe", "graphprobe"), help=argparse.SUPPRESS)
    return parser.parse_args()


def config_of(options: argparse.Namespace, folder: str) -> Any:
    """What graphprobe trains: its defaults, but for what both ways share."""
    from graphprobe.config.load import validate
    from graphprobe.data.open import open_data

    data = options.data or f"digits?count=200&size={options.size}"
    ending = f"num_classes={len(open_data(data).class_names)}&scale={options.scale}"
    pairs = [{"student": s, "teacher": t, "loss": "l2", "weight": WEIGHT} for s, t in HEADS]
    plain = {
        "version": 1,
        "kind": "distill",
        "student": {"program": f"zoo:yolov3_mobilenet_v1?{ending}"},
        "teacher": {"program": f"zoo:yolov3_r34?{ending}"},
        "pairs": pairs,
        "train": {
            "data": {"train": data, "val": None},
            "image_size": options.size,
            "augment": {"sizes": options.sizes},
            "batch_size": options.batch,
            "max_iters": (options.turns + 1) * AT_ONCE,
            "learning_rate": {"base": RATE, "warmup_steps": 0, "milestones": []},
            "workers": 1,
            "output": folder,
        },
    }
    config, problems = validate(plain)
    if config is None:
        raise SystemExit("\n".join(map(str, problems)))
    return config


def batches_of(config: Any) -> Iterator[dict[str, Any]]:
    """The batches of a run, made by its worker."""
    from graphprobe.training.feeding.feeding import open_sets, train_batches
    from graphprobe.training.feeding.workers import load_batches
    from graphprobe.training.networks.source import Networks

    built = Networks().source(config.student.program).build("train")
    batches = train_batches(config.train, open_sets(config.train, built).train, built)
    return load_batches(batches, 0, config.train.max_iters, workers=config.train.workers)


def graphprobe_way(config: Any) -> Way:
    """What `graphprobe train` does between two checkpoints."""
    import paddle

    from graphprobe.training.assemble import assemble
    from graphprobe.training.teacher.prefetch import TeacherPrefetcher

    engine = assemble(config, paddle.CPUPlace(), where="", log=lambda _: None).engine

    def run(feeds: Feeds) -> list[float]:
        with TeacherPrefetcher(iter(feeds), engine.extend) as ahead:
            return [engine.step(1, ahead.next()[0] or {}, RATE)["total"] for _ in feeds]

    return run


def recipe_way(config: Any) -> Way:
    """The published script's program, written in the calls of Paddle and PaddleSlim."""
    import paddle
    from paddleslim.dist import l2, merge

    from graphprobe.training.networks.build import fill, open_network

    place, seed = paddle.CPUPlace(), config.train.seed
    student = fill(open_network(config.student, "student"), place, seed)
    teacher = fill(open_network(config.teacher, "teacher"), place, seed + 1)
    main, startup, scope = student.main, paddle.static.Program(), student.scope
    names = {name: name for name in student.feed_names}
    whole = teacher.main.clone(for_test=True)
    merge(whole, main, names, place, scope=scope, teacher_scope=teacher.scope)
    with paddle.static.program_guard(main, startup):
        distill = sum(l2("teacher_" + t, s) for s, t in HEADS) * WEIGHT
        loss = distill + main.global_block().var(student.built.loss)
        decay = paddle.regularizer.L2Decay(config.train.weight_decay)
        paddle.optimizer.Momentum(RATE, config.train.momentum, weight_decay=decay).minimize(loss)
    executor = paddle.static.Executor(place)
    executor.run(startup, scope=scope)
    strategy = paddle.static.BuildStrategy()
    strategy.fuse_elewise_add_act_ops = True
    compiled = paddle.static.CompiledProgram(main, build_strategy=strategy)
    fetches = ["teacher_" + str(teacher.built.loss), distill.name, loss.name]

    def step(feed: dict[str, Any]) -> float:
        return float(executor.run(compiled, feed=feed, fetch_list=fetches, scope=scope)[2])

    return lambda feeds: [step(feed) for feed in feeds]


WAYS: dict[str, Callable[[Any], Way]] = {"recipe": recipe_way, "graphprobe": graphprobe_way}


def alone(way: str, config: Any) -> None:
    """A whole run of one way in this process; prints its peak memory and waiting as json."""
    waiting = 0.0
    if way == "recipe":
        run = recipe_way(config)
        for feed in batches_of(config):
            run([feed])
    else:
        from graphprobe.training.run import run_training

        done = run_training(config, where="bench.yaml", device="cpu", log=lambda _: None)
        waiting = done.data_wait
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak": peak, "waiting": waiting}))


def in_own_process(way: str) -> dict[str, float]:
    command = [sys.executable, __file__, *sys.argv[1:], "--alone", way]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"failed: {done.stderr.strip()[-300:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def in_turns(config: Any) -> tuple[dict[str, list[float]], float]:
    """Seconds a step of each way, turn by turn, and how far their first losses are apart."""
    import paddle

    ways, flags = {}, {}
    for name, make in WAYS.items():
        ways[name] = make(config)
        flags[name] = paddle.get_flags([FLAG])
    feeds = list(batches_of(config))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    first: list[float] = []
    for begin in range(0, len(feeds), AT_ONCE):
        for name, run in ways.items():
            paddle.set_flags(flags[name])
            clock = time.perf_counter()
            losses = run(feeds[begin : begin + AT_ONCE])
            if begin == 0:  # the first turn warms up
                first.append(losses[0])
            else:
                seconds[name].append((time.perf_counter() - clock) / AT_ONCE)
    return seconds, abs(first[0] - first[1]) / abs(first[0])


def show(
    options: argparse.Namespace, seconds: dict[str, list[float]], own: dict[str, dict[str, float]]
) -> tuple[float, float]:
    """Print the table; returns how many times as fast and as large graphprobe is."""
    print(f"  {'':<12}{'images/s':>10}{'s a step':>10}{'best':>8}{'peak MB':>9}")
    for name, times in seconds.items():
        middle = statistics.median(times)
        print(
            f"  {name:<12}{options.batch / middle:>10.1f}{middle:>10.3f}{min(times):>8.3f}"
            f"{own[name]['peak']:>9.0f}"
        )
    recipe, ours = (statistics.median(times) for times in seconds.values())
    return recipe / ours, own["graphprobe"]["peak"] / own["recipe"]["peak"]


def main() -> int:
    options = arguments()
    own = {} if options.alone else {name: in_own_process(name) for name in WAYS}
    from graphprobe.training.runtime.process import import_paddle

    import_paddle()
    import paddle

    paddle.enable_static()
    with TemporaryDirectory() as folder:
        config = config_of(options, str(Path(folder) / "run"))
        if options.alone:
            alone(options.alone, config)
            return 0
        seconds, apart = in_turns(config)
    print(
        f"width {options.scale}, {options.sizes or options.size} pixels, batch {options.batch}, "
        f"{os.environ['OMP_NUM_THREADS']} threads; medians of {options.turns} turns of "
        f"{AT_ONCE} steps"
    )
    faster, larger = show(options, seconds, own)
    print(f"  {faster:.2f} times as fast ({WANTED:.0f} are wanted), {larger:.2f} of the memory")
    print(f"  first loss {apart:.1e} apart; {own['graphprobe']['waiting']:.1%} waiting for data")
    return 0 if faster >= WANTED and larger <= 1 and apart <= AGREE else 1


if __name__ == "__main__":
    sys.exit(main())
