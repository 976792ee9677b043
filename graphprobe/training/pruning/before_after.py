"""Figures of a network before its pruning, and after it once the smaller network is trained."""

from __future__ import annotations

from typing import Any

from graphprobe.config import Config
from graphprobe.ops.work.count import NetworkSize, network_size
from graphprobe.pruning.constraints import find_channels
from graphprobe.pruning.pruned_program import pruned_program
from graphprobe.training.networks.build import Network
from graphprobe.training.reporting.progress import Log
from graphprobe.training.reporting.result import Cost, PruningResult
from graphprobe.training.runtime.latency import latencies


def pruning_result(
    config: Config,
    student: Network,
    values: tuple[float | None, float | None],
    place: Any,
    log: Log,
) -> PruningResult | None:
    """Measure the network before and after its pruning; None where it was not pruned.

    Args:
        config: of the run.
        student: what was trained.
        values: of the metric, for the whole network with the weights that it began with, and for
            the pruned network at the end.
        place: where latency is measured.
        log: takes lines of progress.
    """
    if student.plan is None:
        return None
    size = config.train.input_size
    whole, pruned = student.source.build("infer"), student.source.pruned("infer", student.plan)
    times = latencies([whole, pruned], size, place, log)
    program = student.source.loaded.program
    before = network_size(program, size)
    after = network_size(pruned_program(find_channels(program), student.plan), size)
    return PruningResult(_cost(before, times[0], values[0]), _cost(after, times[1], values[1]))


def _cost(size: NetworkSize, milliseconds: float, value: float | None) -> Cost:
    return Cost(size.flops, size.params, size.megabytes, milliseconds, value)
