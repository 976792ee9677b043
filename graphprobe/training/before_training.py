"""What is measured before a run's first step: the teacher, the whole network, the student."""

from __future__ import annotations

from graphprobe.config import Config
from graphprobe.training.assemble import Assembly
from graphprobe.training.evaluate import make_evaluator
from graphprobe.training.feeding.feeding import DataSets
from graphprobe.training.loop import Outcome, RunPlan
from graphprobe.training.reporting.progress import Log
from graphprobe.training.student import prune_config
from graphprobe.training.trained import open_trained
from graphprobe.training.weights.checkpoint import Checkpoint
from graphprobe.zoo import EXPORTED


def measure_teacher(config: Config, parts: Assembly, sets: DataSets, log: Log) -> float | None:
    """The metric of the teacher; None where it cannot be measured by it."""
    if parts.teacher is None or sets.val is None or not parts.teacher.has_weights:
        return None
    if EXPORTED in (parts.student.built.task, parts.teacher.built.task):
        return None  # it is what the student is measured by
    built = parts.teacher.source.pruned("eval", parts.teacher.plan)
    evaluator = make_evaluator(config.train, built, sets.val, parts.place)
    score = evaluator.run(parts.teacher.scope)
    log(f"teacher: {evaluator.label} {score.value:.4f}")
    return score.value


def measure_whole(
    config: Config, parts: Assembly, sets: DataSets, found: Checkpoint | None, log: Log
) -> float | None:
    """The metric of the student before its pruning, with the weights that it begins with."""
    if found is not None:
        value: float | None = found.state.get("metric_before")
        return value
    weights = config.student.weights
    if weights is None or sets.val is None or prune_config(config, weights) is None:
        return None
    if parts.student.built.task == EXPORTED:
        return None
    networks = parts.networks
    whole = open_trained(
        config, parts.place, "eval", where=weights, weights=weights, networks=networks
    )
    evaluator = make_evaluator(config.train, whole.built, sets.val, parts.place)
    score = evaluator.run(whole.scope)
    log(f"before pruning: {evaluator.label} {score.value:.4f}")
    return score.value


def measure_start(parts: Assembly, plan: RunPlan, start: Outcome, log: Log) -> float | None:
    """The agreement of an exported program with its teacher before its first step."""
    if parts.student.built.task != EXPORTED or plan.evaluate is None or start.iteration:
        return None
    value = plan.evaluate()
    log(f"before training: {plan.state['metric']} {value:.4f}")
    return value
