"""How many iterations fit into a time: a few steps are run, timed, and taken back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import Any

from graphprobe.config import Config, scale_schedule
from graphprobe.config.length import CHECKS
from graphprobe.errors import DataError
from graphprobe.training.assemble import Assembly
from graphprobe.training.distributed.process_group import ProcessGroup
from graphprobe.training.evaluate import Evaluator
from graphprobe.training.feeding.feeding import DataSets, train_batches
from graphprobe.training.feeding.workers import Batches, load_batches
from graphprobe.training.reporting.progress import Log
from graphprobe.training.runtime.programs import set_values
from graphprobe.training.teacher.prefetch import TeacherPrefetcher

# Steps that are run, those of them that are not timed, and the share of the time they may take.
_STEPS, _UNTIMED, _SHARE = 12, 2, 0.1
# The share of a run that evaluation may take, and what is left free for saving.
_EVALUATION, _SPARE = 1 / 3, 0.95


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a step, data and teacher included, and seconds an evaluation."""

    step: float
    evaluation: float

    def fit(self, seconds: float) -> tuple[int, int]:
        """(iterations, iterations between evaluations) of a run that takes so long."""
        rounds = CHECKS
        if self.evaluation * CHECKS > seconds * _EVALUATION:
            rounds = max(1, int(seconds * _EVALUATION / self.evaluation))
        left = max(seconds - rounds * self.evaluation, 0.0) * _SPARE
        total = max(1, int(left / max(self.step, 1e-6)))
        return total, max(1, total // rounds)


def fit_to_time(
    config: Config,
    parts: Assembly,
    sets: DataSets,
    evaluator: Evaluator | None,
    group: ProcessGroup,
    seconds: float,
    log: Log,
) -> Config:
    """The config with as many iterations as fit into the time that is left.

    Args:
        config: of any kind; its schedule keeps its shares.
        parts: of the run, as it begins.
        sets: its data.
        evaluator: of the run; None where this process does not evaluate.
        group: the processes that train together, each of which calls this.
        seconds: that are left for training, evaluating and saving.
        log: takes a line about the pace.
    """
    log("timing a few steps")
    train = config.train
    pace = measure_pace(
        parts,
        train_batches(train, sets.train, parts.student.built),
        evaluator,
        seconds,
        workers=train.workers,
        group=group,
    )
    total, every = pace.fit(group.mean([seconds])[0])
    log(f"{pace.step:.3g} s a step, {pace.evaluation:.3g} s an evaluation")
    words = [f"train.max_iters={total}"]
    longer = train.model_copy(update={"max_iters": total})
    fitted, _ = scale_schedule(longer, group.size, words, made_for=train.max_iters)
    checks = {"snapshot_iter": every, "eval_iter": every if train.data.val else 0}
    return config.model_copy(update={"train": fitted.model_copy(update=checks)})


def measure_pace(
    parts: Assembly,
    batches: Batches,
    evaluator: Evaluator | None,
    seconds: float,
    *,
    workers: int,
    group: ProcessGroup,
) -> Pace:
    """Run a few steps and two batches of an evaluation; weights and momenta are as before.

    Args:
        parts: of the run; their values are put back.
        batches: of the run.
        evaluator: of the student; None where nothing is evaluated.
        seconds: that the run may take; the steps end after a tenth of it.
        workers: processes that load data.
        group: the processes that train together, each of which calls this.
    """
    names = [*parts.weights, *parts.engine.optimizer_names]
    kept = parts.engine.values(names)
    step = _step_seconds(parts, batches, seconds * _SHARE, workers, group)
    set_values(parts.student.scope, parts.place, kept)
    evaluation = 0.0 if evaluator is None else _evaluation_seconds(evaluator, parts.student.scope)
    found = group.mean([step, evaluation * group.size])  # rank 0 alone evaluates
    return Pace(*found)


def _step_seconds(
    parts: Assembly, batches: Batches, limit: float, workers: int, group: ProcessGroup
) -> float:
    taken: list[float] = []
    feeds = load_batches(batches, 0, _STEPS, workers=workers)
    begin = clock = time.perf_counter()
    with TeacherPrefetcher(feeds, parts.engine.extend) as ready:
        for number in range(_STEPS):
            feed, _ = ready.next()
            if feed is None:
                raise DataError("the data end before the first steps are timed")
            parts.engine.step(number + 1, feed, 0.0)
            now = time.perf_counter()
            taken.append(now - clock)
            clock = now
            if number >= 1 and group.any(now - begin > limit):
                break
    timed = taken[_UNTIMED:] or taken[-1:]
    return sum(timed) / len(timed)


def _evaluation_seconds(evaluator: Evaluator, scope: Any) -> float:
    clock = time.perf_counter()
    taken = 0.0
    for _ in islice(evaluator.outputs(scope), 2):
        now = time.perf_counter()
        taken, clock = now - clock, now
    return taken * evaluator.batch_count
