"""The loop: steps, evaluations and checkpoints until the last iteration or a request to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphprobe.data.sample import Arrays, Feed
from graphprobe.errors import TrainError
from graphprobe.files import write_whole
from graphprobe.training.distributed.process_group import ProcessGroup
from graphprobe.training.reporting.report import Reporter, Step
from graphprobe.training.runtime.signals import StopRequest
from graphprobe.training.runtime.step import Engine
from graphprobe.training.schedule import Schedule
from graphprobe.training.teacher.prefetch import TeacherPrefetcher
from graphprobe.training.term_weights import TermWeights
from graphprobe.training.weights.checkpoint import drop_old, write_checkpoint


@dataclass(frozen=True)
class RunPlan:
    """What a run does.

    Args:
        root: folder of its checkpoints.
        total: iterations in all.
        schedule: the learning rate.
        snapshot_iter: iterations between checkpoints.
        eval_iter: iterations between evaluations; 0 for the end only.
        keep_last: checkpoints that are kept beside the best.
        state: what every checkpoint records beside its arrays.
        weights: names of the student's parameters and statistics.
        evaluate: measures the student as it is; None where there is nothing to measure with.
        group: the processes that train together; rank 0 alone evaluates and saves.
        weights_of_terms: follows those that are measured.
    """

    root: Path
    total: int
    schedule: Schedule
    snapshot_iter: int
    eval_iter: int
    keep_last: int
    state: dict[str, Any]
    weights: list[str]
    evaluate: Callable[[], float] | None
    group: ProcessGroup
    weights_of_terms: TermWeights


@dataclass
class Outcome:
    """How a run ended: the iteration, the last metric, the best one, and what stopped it."""

    iteration: int
    metric: float | None = None
    best: float | None = None
    best_iteration: int | None = None
    stopped: str | None = None


def run_loop(
    engine: Engine, plan: RunPlan, batches: Iterator[Feed], report: Reporter, start: Outcome
) -> Outcome:
    """Train from ``start.iteration`` to ``plan.total``.

    Args:
        batches: feeds for the iterations after the start, in order.
        start: where the run stands, as a checkpoint records it.

    Raises:
        TrainError: a loss is not finite, or the data end too early.
        CheckpointError: a checkpoint cannot be written.
    """
    now, halted = start, False
    measured: list[float] | None
    with StopRequest() as stop, TeacherPrefetcher(batches, engine.extend) as feeds:
        clock = time.perf_counter()
        while now.iteration < plan.total and not (halted := plan.group.any(stop.name is not None)):
            feed, waited = _next(feeds, now.iteration)
            rate = plan.schedule.at(now.iteration)
            measured = [] if plan.weights_of_terms.due(now.iteration + 1) else None
            losses = _mean(plan.group, engine.step(now.iteration + 1, feed, rate, measured))
            now.iteration += 1
            weights: Mapping[str, float] = {}
            if measured:
                norms = plan.group.mean(measured)
                weights = plan.weights_of_terms.update(engine.scope, engine.place, norms)
            seconds = time.perf_counter() - clock
            images = len(next(iter(feed.values()))) * plan.group.size
            report.step(Step(now.iteration, rate, losses, images, seconds, waited, weights))
            _evaluate_and_save(engine, plan, report, now)
            clock = time.perf_counter()
        if halted:
            now.stopped = stop.name or "a signal to another process"
            _save(engine, plan, now)
            report.log(f"{now.stopped}: saved iteration {now.iteration}; go on with resume='auto'")
    return now


def _next(feeds: TeacherPrefetcher, iteration: int) -> tuple[Feed, float]:
    feed, waited = feeds.next()
    if feed is None:
        raise TrainError(f"the data end before iteration {iteration + 1}")
    return feed, waited


def _mean(group: ProcessGroup, losses: dict[str, float]) -> dict[str, float]:
    return dict(zip(losses, group.mean(list(losses.values())), strict=True))


def _evaluate_and_save(engine: Engine, plan: RunPlan, report: Reporter, now: Outcome) -> None:
    last = now.iteration == plan.total
    if plan.evaluate is not None and (last or _due(now.iteration, plan.eval_iter)):
        now.metric = plan.evaluate()
        better = now.best is None or now.metric >= now.best
        report.metric(now.iteration, plan.state["metric"], now.metric)
        if better:
            now.best, now.best_iteration = now.metric, now.iteration
            _save(engine, plan, now)
            write_whole(plan.root / "best", f"{now.iteration:06d}\n")
            return
    if last or _due(now.iteration, plan.snapshot_iter):
        _save(engine, plan, now)


def _due(iteration: int, every: int) -> bool:
    return every > 0 and iteration % every == 0


def _save(engine: Engine, plan: RunPlan, now: Outcome) -> None:
    if not plan.group.is_rank0:
        return
    state = {
        **plan.state,
        "metric_value": now.metric,
        "best": now.best,
        "best_iteration": now.best_iteration,
    }
    weights, optimizer = engine.values(plan.weights), engine.values(engine.optimizer_names)
    _refuse_non_finite({**weights, **optimizer}, now.iteration)
    write_checkpoint(plan.root, now.iteration, weights, optimizer, state)
    keep = set() if now.best_iteration is None else {f"{now.best_iteration:06d}"}
    drop_old(plan.root, plan.keep_last, keep)


def _refuse_non_finite(arrays: Arrays, iteration: int) -> None:
    """ReLUs can hide a NaN from the loss; batch statistics and momenta still show it."""
    bad = [n for n, a in arrays.items() if a.dtype.kind == "f" and not np.isfinite(a).all()]
    if bad:
        raise TrainError(
            f"iteration {iteration}: {len(bad)} variables are not finite, among them {bad[0]}",
            hint="nothing was saved; look at the data or lower train.learning_rate.base, then "
            "go on with resume='auto'",
        )
