"""What is measured before a run's first step: the teacher, the whole network, the student."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import paddle

from graphprobe.config import Config
from graphprobe.data.metrics.names import AGREEMENT
from graphprobe.data.sample import Dataset
from graphprobe.errors import DataError
from graphprobe.training.agreement import FindOutputs
from graphprobe.training.assemble import Assembly
from graphprobe.training.evaluate import Evaluator, make_evaluator
from graphprobe.training.loop import Outcome, RunPlan
from graphprobe.training.measured_by import labelled_evaluator
from graphprobe.training.networks.source import NetworkSource
from graphprobe.training.reporting.progress import Log
from graphprobe.training.runtime.programs import set_values
from graphprobe.training.student import prune_config
from graphprobe.training.trained import open_trained
from graphprobe.training.weights.checkpoint import Checkpoint
from graphprobe.zoo import EXPORTED, Built


@dataclass(frozen=True)
class Measuring:
    """What measures, before the first step.

    Args:
        data: what on; None where nothing is measured.
        student: what measures the student; None likewise.
        find: as `run_training` takes it.
        log: takes a line a figure.
    """

    data: Dataset | None
    student: Evaluator | None
    find: FindOutputs | None
    log: Log

    def like_the_student(
        self, config: Config, source: NetworkSource, built: Built, place: Any
    ) -> Evaluator | None:
        """What measures another network by the metric of the student; None where nothing does."""
        if self.data is None or self.student is None or self.student.metric == AGREEMENT:
            return None  # agreement with a teacher is none of the teacher's
        if built.task != EXPORTED:
            return make_evaluator(config.train, built, self.data, place)
        try:
            found = labelled_evaluator(config, source, built, self.data, place, self.find)
        except DataError as error:  # nothing states how its images are prepared
            found = str(error)
        if isinstance(found, Evaluator):
            return found
        self.log(f"labels do not measure {source.text}: {found}")
        return None


def measure_teacher(config: Config, parts: Assembly, measuring: Measuring) -> float | None:
    """The metric of the teacher; None where it cannot be measured by that of the student."""
    teacher = parts.teacher
    if teacher is None or not teacher.has_weights:
        return None
    built = teacher.source.pruned("eval", teacher.plan)
    evaluator = measuring.like_the_student(config, teacher.source, built, parts.place)
    if evaluator is None:
        return None
    score = evaluator.run(teacher.scope)
    measuring.log(f"teacher: {evaluator.label} {score.value:.4f}")
    return score.value


def measure_whole(
    config: Config, parts: Assembly, found: Checkpoint | None, measuring: Measuring
) -> float | None:
    """The metric of the student before its pruning, with the weights that it begins with."""
    if found is not None:
        value: float | None = found.state.get("metric_before")
        return value
    source, weights = parts.student.source, config.student.weights
    if prune_config(config, "student") is None:
        return None
    if weights is None and source.exported is not None:
        built, scope = source.build("eval"), paddle.static.Scope()
        set_values(scope, parts.place, source.exported.values)
    elif weights is None:
        return None
    else:
        whole = open_trained(
            config, parts.place, "eval", where=weights, weights=weights, networks=parts.networks
        )
        built, scope = whole.built, whole.scope
    evaluator = measuring.like_the_student(config, source, built, parts.place)
    if evaluator is None:
        return None
    score = evaluator.run(scope)
    measuring.log(f"before pruning: {evaluator.label} {score.value:.4f}")
    return score.value


def measure_start(parts: Assembly, plan: RunPlan, start: Outcome, log: Log) -> float | None:
    """The metric of an exported program before its first step."""
    if parts.student.built.task != EXPORTED or plan.evaluate is None or start.iteration:
        return None
    value = plan.evaluate()
    log(f"before training: {plan.state['metric']} {value:.4f}")
    return value
