"""A training run from its config to its result."""

from __future__ import annotations

import contextlib
import json
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from graphprobe.config import Config, config_text, scale_schedule
from graphprobe.errors import CheckpointError, GraphprobeError
from graphprobe.files import write_whole
from graphprobe.ops.work import MEGABYTE
from graphprobe.pruning.plan_json import plan_to_json
from graphprobe.training.assemble import Assembly, Say, assemble, prune_config
from graphprobe.training.distributed.process_group import Team, meet
from graphprobe.training.distributed.ranks import world
from graphprobe.training.evaluate import make_evaluator
from graphprobe.training.feeding.feeding import DataSets, open_sets, train_batches
from graphprobe.training.feeding.workers import load_batches
from graphprobe.training.loop import Outcome, Plan, run_loop
from graphprobe.training.networks.build import build_cut, put_weights, state_shapes
from graphprobe.training.pruning.before_after import cut_result
from graphprobe.training.reporting.report import Reporter
from graphprobe.training.reporting.result import Result
from graphprobe.training.runtime.device import choose_place
from graphprobe.training.runtime.malloc import give_large_blocks_back
from graphprobe.training.runtime.step import drop_values, set_values
from graphprobe.training.runtime.threads import thread_count
from graphprobe.training.schedule import Schedule
from graphprobe.training.teacher.cache import keep_outputs
from graphprobe.training.trained import open_trained
from graphprobe.training.weights.checkpoint import (
    Checkpoint,
    read_checkpoint,
    read_newest,
    refuse_old_run,
)
from graphprobe.training.weights.read import check_weights
from graphprobe.training.weights.run_lock import own_run
from graphprobe.version import __version__


def run_training(
    config: Config,
    *,
    where: str,
    device: str = "auto",
    resume: str | None = None,
    overrides: Sequence[str] = (),
    say: Say,
) -> Result:
    """Train as a config says, its schedule scaled to the batch that it really has.

    Args:
        config: of any kind.
        where: the config's file, for errors.
        device: ``auto``, ``cpu`` or ``gpu``.
        resume: a checkpoint's folder, ``auto`` for the newest whole one of the run, or None.
        overrides: that the config was made with, as ``train.max_iters=200``: they are not scaled.
        say: takes each line for people.

    Raises:
        GraphprobeError: anything that a user can cause, before the first step where possible.
    """
    begin = time.perf_counter()
    place = choose_place(device)
    give_large_blocks_back()
    with contextlib.ExitStack() as owned, meet(place) as team:
        heard = say if team.leads else _ignore
        config = _scaled(config, overrides, heard)
        if team.leads:
            owned.enter_context(own_run(Path(config.train.output)))
        found = _find_checkpoint(Path(config.train.output), resume, heard)
        parts = assemble(config, place, where=where, say=heard, resumed=found)
        parts.engine.join(team.count)
        result = _train(config, parts, found, team, where, heard)
        result = _timed(result, time.perf_counter() - begin)
        if team.leads:
            write_whole(Path(result.output) / "result.json", _json(result.document()))
    return result


def _train(
    config: Config, parts: Assembly, found: Checkpoint | None, team: Team, where: str, say: Say
) -> Result:
    sets = open_sets(config.train, parts.student.built)
    for line in (line for data in (sets.train, sets.val) if data for line in data.warnings):
        say(f"warning: {line}")
    start = Outcome(0) if found is None else _restore(parts, found, config, say)
    names = [*parts.weights, *parts.engine.optimizer_names]
    team.begin_alike(parts.student.main, parts.student.scope, names, start.iteration)
    plan = _make_plan(config, parts, sets, team)
    log, teacher_value = None, None
    if team.leads:
        log = Path(config.train.output) / "metrics.jsonl"
        _open_folder(log.parent, config, fresh=found is None, where=where)
        teacher_value = None if start.iteration else _measure_teacher(config, parts, sets, say)
        plan.state["metric_before"] = _measure_whole(config, parts.place, sets, found, say)
    if parts.teacher is not None and parts.fast is not None:
        drop_values(parts.teacher.scope, parts.teacher.shapes())  # its engine has its own
    batches = train_batches(config.train, sets.train, parts.student.built)
    batches = keep_outputs(parts, batches, config.train, say)
    feeds = load_batches(batches, start.iteration, plan.total, workers=config.train.workers)
    with Reporter(log, plan.total, start.iteration, config.train.log_iter) as report:
        end = run_loop(parts.engine, plan, feeds, report, start)
    if teacher_value is not None and end.metric is not None and end.metric > teacher_value:
        say("warning: the student is better than its teacher; a better teacher may teach more")
    result = _make_result(config, parts, plan, end, report, teacher_value)
    if end.stopped is not None or not team.leads:
        return result
    values = plan.state["metric_before"], end.metric
    return replace(result, cut=cut_result(config, parts.student, values, parts.place, say))


def _scaled(config: Config, overrides: Sequence[str], say: Say) -> Config:
    train, lines = scale_schedule(config.train, world(), overrides)
    for line in lines:
        say(line)
    return config.model_copy(update={"train": train})


def _ignore(_line: str) -> None:
    """Where another process speaks for all."""


def _find_checkpoint(output: Path, resume: str | None, say: Say) -> Checkpoint | None:
    root = output / "checkpoints"
    if resume is None:
        refuse_old_run(output)
        return None
    found = read_newest(root, say) if resume == "auto" else read_checkpoint(Path(resume))
    if found is None:
        say(f"{root}: no checkpoint yet, starting at iteration 0")
    return found


def _restore(parts: Assembly, found: Checkpoint, config: Config, say: Say) -> Outcome:
    where = str(found.path)
    wanted = {name: _shape(parts, name) for name in parts.engine.optimizer_names}
    put_weights(
        parts.student.scope,
        parts.place,
        found.weights,
        {name: _shape(parts, name) for name in parts.weights},
        where=where,
    )
    check_weights(found.optimizer, wanted, where=where)
    set_values(parts.student.scope, parts.place, found.optimizer)
    if found.state.get("teacher_sha256") != parts.teacher_sha256:
        raise CheckpointError(
            "the teacher's weights are not those that this run began with", where=where
        )
    for line in _differences(found.state.get("config"), config.model_dump(mode="json")):
        say(f"warning: since {where} the config has changed: {line}")
    for key, now in _surroundings().items():
        if found.state.get(key, now) != now:
            say(f"warning: {key} were {found.state.get(key)}, now {now}: not bit-equal any more")
    say(f"resuming {where} at iteration {found.iteration}")
    return Outcome(
        found.iteration,
        found.state.get("metric_value"),
        found.state.get("best"),
        found.state.get("best_iteration"),
    )


def _shape(parts: Assembly, name: str) -> tuple[int, ...]:
    return tuple(parts.student.main.global_block().var(name).shape)


def _differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Lines ``key: old -> new`` for what two plain documents do not share."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        dot = f"{path}." if path else ""
        return [d for k in keys for d in _differences(old.get(k), new.get(k), f"{dot}{k}")]
    return [] if old == new else [f"{path}: {old} -> {new}"]


def _open_folder(output: Path, config: Config, *, fresh: bool, where: str) -> None:
    try:
        (output / "checkpoints").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GraphprobeError(
            f"cannot be made ({error.strerror})", where=str(output), hint="set train.output"
        ) from error
    name = "config.yaml" if fresh else "config.resumed.yaml"
    write_whole(output / name, config_text(config, file=where))


def _measure_teacher(config: Config, parts: Assembly, sets: DataSets, say: Say) -> float | None:
    if parts.teacher is None or sets.val is None or parts.teacher.ref.weights is None:
        return None
    built = build_cut(parts.teacher.ref, "eval", parts.teacher.plan)
    evaluator = make_evaluator(config.train, built, sets.val, parts.place)
    score = evaluator.run(parts.teacher.scope)
    say(f"teacher: {evaluator.label} {score.value:.4f}")
    return score.value


def _measure_whole(
    config: Config, place: Any, sets: DataSets, found: Checkpoint | None, say: Say
) -> float | None:
    """The metric of the student before its cut, with the weights that it begins with."""
    if found is not None:
        value: float | None = found.state.get("metric_before")
        return value
    weights = config.student.weights
    if weights is None or sets.val is None or prune_config(config, weights) is None:
        return None
    whole = open_trained(config, place, "eval", where=weights, weights=weights)
    evaluator = make_evaluator(config.train, whole.built, sets.val, place)
    score = evaluator.run(whole.scope)
    say(f"before the cut: {evaluator.label} {score.value:.4f}")
    return score.value


def _make_plan(config: Config, parts: Assembly, sets: DataSets, team: Team) -> Plan:
    train = config.train
    rate = train.learning_rate
    label, evaluate = "", None
    if sets.val is not None and team.leads:
        built = build_cut(config.student, "eval", parts.student.plan)
        evaluator = make_evaluator(config.train, built, sets.val, parts.place)
        label = evaluator.label

        def evaluate() -> float:
            return evaluator.run(parts.student.scope).value

    return Plan(
        root=Path(train.output) / "checkpoints",
        total=train.max_iters,
        schedule=Schedule(
            rate.base,
            rate.milestones,
            rate.gamma,
            rate.warmup_steps,
            rate.warmup_factor,
            rate.poly_power,
            train.max_iters,
        ),
        snapshot_iter=train.snapshot_iter,
        eval_iter=train.eval_iter,
        keep_last=train.keep_last,
        state=_state(config, parts, sets, label),
        weights=parts.weights,
        evaluate=evaluate,
        team=team,
    )


def _state(config: Config, parts: Assembly, sets: DataSets, label: str) -> dict[str, Any]:
    return {
        "program": config.student.program,
        "config": config.model_dump(mode="json"),
        "seed": config.train.seed,
        "metric": label,
        "class_names": list(sets.train.class_names),
        "teacher_sha256": parts.teacher_sha256,
        "prune": None if parts.student.plan is None else plan_to_json(parts.student.plan),
        **_surroundings(),
    }


def _surroundings() -> dict[str, Any]:
    """What else the bits of a run depend on."""
    versions = {
        "graphprobe": __version__,
        "paddle": paddle.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    return {"threads": str(thread_count()), "processes": world(), "versions": versions}


def _make_result(
    config: Config,
    parts: Assembly,
    plan: Plan,
    end: Outcome,
    report: Reporter,
    teacher_value: float | None,
) -> Result:
    shapes = {n: s for n, s in state_shapes(parts.student.main).items() if n in set(parts.weights)}
    sizes = {name: int(np.prod(shape)) for name, shape in shapes.items()}
    trained = set(parts.engine.parameters)
    return Result(
        output=config.train.output,
        program=config.student.program,
        iterations=end.iteration,
        metric=plan.state["metric"],
        value=end.metric,
        best=end.best,
        best_iteration=end.best_iteration,
        teacher_value=teacher_value,
        parameters=sum(size for name, size in sizes.items() if name in trained),
        megabytes=sum(sizes.values()) * 4 / MEGABYTE,
        seconds=0.0,
        images_per_second=report.images_per_second,
        data_wait=report.wait_share,
        stopped=end.stopped,
    )


def _timed(result: Result, seconds: float) -> Result:
    return replace(result, seconds=seconds)


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
