"""How long a network takes for one image on this machine, two networks in turns.

What runs is what `graphprobe export` writes, in Paddle's inference engine, from the image to the
maps that decoding reads (to the scores, for segmentation). Decoding and suppression are left out:
their time follows from how many boxes are found, not from how many channels there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import paddle
from paddle import inference

from graphprobe.training.export import export_network
from graphprobe.training.networks.predictions import outputs_of
from graphprobe.training.reporting.progress import Log, throttle
from graphprobe.training.runtime.inference_engine import engine_settings, run_predictor
from graphprobe.training.teacher.merge import inputs_of
from graphprobe.waits import waiting_for
from graphprobe.zoo import Built

WARM_UP = 3
RUNS = 50
MIN_RUNS = 5
# Large networks get fewer runs, but never fewer than MIN_RUNS.
BUDGET_SECONDS = 20.0


def latencies(networks: list[Built], size: tuple[int, int], place: Any, log: Log) -> list[float]:
    """Median milliseconds of each network for one image.

    Their runs alternate, so that what else the machine does falls on all of them. The values of
    the weights do not matter: each network takes its first ones.

    Args:
        networks: built for inference.
        size: H and W of the image.
        place: where they run.
        log: takes lines of progress.
    """
    with waiting_for("making ready to measure the latency"):
        steps = [_prepare(built, size, place) for built in networks]
    taken: list[list[float]] = [[] for _ in steps]
    begin = time.perf_counter()
    progress = throttle(log)
    for turn in range(-WARM_UP, RUNS):
        if turn >= MIN_RUNS and time.perf_counter() - begin > BUDGET_SECONDS:
            break
        progress(f"latency: {max(turn, 0)} of at most {RUNS} runs")
        for step, seconds in zip(steps, taken, strict=True):
            start = time.perf_counter()
            step()
            if turn >= 0:
                seconds.append(time.perf_counter() - start)
    if any(_unsteady(seconds) for seconds in taken):
        log("warning: other work disturbs this machine: do not rely on the latency")
    return [median(seconds) * 1000 for seconds in taken]


def _unsteady(seconds: list[float]) -> bool:
    """Whether the middle half of the runs differ by more than a quarter."""
    first, middle, third = quantiles(seconds, n=4)
    return third - first > middle / 4


def _prepare(built: Built, size: tuple[int, int], place: Any) -> Callable[[], None]:
    """A function that runs the network once."""
    ends = outputs_of(built.main)
    part = built.main._prune_with_input([name for name, _, _ in built.feeds], list(ends))
    used = set(inputs_of(part, (name for name, _, _ in built.feeds)))
    feeds = tuple(feed for feed in built.feeds if feed[0] in used)
    network = replace(built, feeds=feeds, outputs={name: name for name in ends})
    scope = paddle.static.Scope()
    paddle.seed(0)
    paddle.static.Executor(place).run(built.startup, scope=scope)
    # The outputs that are added get names of their own: an exported program has some already.
    with TemporaryDirectory() as folder, paddle.utils.unique_name.guard("latency_"):
        # with the inputs that the network has itself
        model, params = export_network(network, scope, place, Path(folder), legacy=True)
        predictor = inference.create_predictor(_settings(model, params, place))
    for name, shape, dtype in feeds:
        sides = [1 if i == 0 else s if s > 0 else size[i % 2] for i, s in enumerate(shape)]
        array = np.full(sides, 0.5)
        predictor.get_input_handle(name).copy_from_cpu(array.astype(dtype))
    out = predictor.get_output_handle(predictor.get_output_names()[0])

    def run() -> None:
        run_predictor(predictor)
        out.copy_to_cpu()

    return run


def _settings(model: Path, params: Path, place: Any) -> Any:
    settings = engine_settings(model, params, place)
    settings.enable_memory_optim()
    return settings
