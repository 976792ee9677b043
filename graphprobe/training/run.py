"""A training run from its config to its result."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from graphprobe.config import Config, config_text, scale_schedule
from graphprobe.config.length import length_text, length_warning
from graphprobe.errors import GraphprobeError
from graphprobe.files import write_whole
from graphprobe.formats import load_bytes
from graphprobe.ops.work.count import MEGABYTE, network_size
from graphprobe.pruning.plan_json import plan_to_json
from graphprobe.training.agreement import FindOutputs
from graphprobe.training.assemble import Assembly, assemble
from graphprobe.training.before_training import (
    Measuring,
    measure_start,
    measure_teacher,
    measure_whole,
)
from graphprobe.training.distributed.process_group import ProcessGroup, init_process_group
from graphprobe.training.distributed.ranks import world_size
from graphprobe.training.evaluate import Evaluator
from graphprobe.training.feeding.feeding import DataSets, open_sets, train_batches
from graphprobe.training.feeding.workers import load_batches
from graphprobe.training.length import fit_to_time
from graphprobe.training.loop import Outcome, RunPlan, run_loop
from graphprobe.training.measured_by import evaluator_of
from graphprobe.training.networks.source import Networks
from graphprobe.training.norm_statistics import is_pruned_export, renew_statistics
from graphprobe.training.pruning.before_after import pruning_result
from graphprobe.training.reporting.progress import Log, ProgressBar, no_log
from graphprobe.training.reporting.report import Reporter
from graphprobe.training.reporting.result import Result, data_of_run
from graphprobe.training.resume import find_checkpoint, restore, surroundings
from graphprobe.training.run_folder import PROGRAM
from graphprobe.training.run_record import teacher_warnings
from graphprobe.training.runtime.device import choose_place
from graphprobe.training.runtime.process import give_large_blocks_back
from graphprobe.training.runtime.programs import drop_values, state_shapes
from graphprobe.training.schedule import Schedule
from graphprobe.training.teacher.cache import cache_outputs
from graphprobe.training.weights.checkpoint import Checkpoint
from graphprobe.training.weights.run_lock import own_run


def run_training(
    config: Config,
    *,
    where: str,
    device: str = "auto",
    resume: str | None = None,
    overrides: Sequence[str] = (),
    made_for: int | None = None,
    minutes: float | None = None,
    log: Log = no_log,
    bar: ProgressBar | None = None,
    networks: Networks | None = None,
    find_outputs: FindOutputs | None = None,
) -> Result:
    """Train by a config, its schedule scaled to the batch that it really has.

    Args:
        config: of any kind.
        where: the config's file, for errors.
        device: ``auto``, ``cpu`` or ``gpu``.
        resume: a checkpoint's folder, ``auto`` for the newest whole one of the run, or None.
        overrides: that the config was made with, as ``train.max_iters=200``: they are not scaled.
        made_for: iterations that the config's schedule belongs to, where overrides name others.
        minutes: as many iterations as fit into this time, setting up included; a few steps are
            timed and taken back first.
        log: takes each line for people.
        bar: shows how far the run is; without it that is a line every ``train.log_iter`` steps.
        networks: what a check before has built; it is used up.
        find_outputs: finds what the outputs of an exported program are.

    Raises:
        GraphprobeError: anything that a user can cause, before the first step where possible.
    """
    begin = time.perf_counter()
    place = choose_place(device, log)
    give_large_blocks_back()
    with contextlib.ExitStack() as owned, init_process_group(place, log) as group:
        log_rank0 = log if group.is_rank0 else no_log
        config = _scaled(config, overrides, log_rank0, made_for)
        if group.is_rank0:
            owned.enter_context(own_run(Path(config.train.output)))
        found = find_checkpoint(Path(config.train.output), resume, log_rank0)
        parts = assemble(
            config, place, where=where, log=log_rank0, resumed=found, networks=networks
        )
        parts.engine.use_collective(group.size)
        sets = open_sets(config.train, parts.student.built)
        evaluator = None
        if sets.val is not None and group.is_rank0:
            student = parts.student
            built = student.source.pruned("eval", student.plan)
            evaluator = evaluator_of(
                config, student.source, built, sets.val, place, parts.teacher, find_outputs, log
            )
        if minutes is not None and found is None:
            left = minutes * 60 - (time.perf_counter() - begin)
            config = fit_to_time(config, parts, sets, evaluator, group, left, log_rank0)
        result = _train(
            config, parts, sets, evaluator, found, group, where, find_outputs, log_rank0, bar
        )
        result = replace(result, seconds=time.perf_counter() - begin)
        if group.is_rank0:
            write_whole(Path(result.output) / "result.json", _json(result.document()))
    return result


def _train(
    config: Config,
    parts: Assembly,
    sets: DataSets,
    evaluator: Evaluator | None,
    found: Checkpoint | None,
    group: ProcessGroup,
    where: str,
    find: FindOutputs | None,
    log: Log,
    bar: ProgressBar | None,
) -> Result:
    samples = len(sets.train)
    log(length_text(config.train, samples, group.size))
    long = length_warning(config.train, samples, group.size)
    if long is not None:
        log(f"warning: {long}")
    for line in (line for data in (sets.train, sets.val) if data for line in data.warnings):
        log(f"warning: {line}")
    for line in teacher_warnings(parts.teacher, sets.train):
        log(f"warning: {line}")
    start = Outcome(0) if found is None else restore(parts, found, config, log)
    flops = None
    if group.is_rank0:
        flops = _keep_program(config, parts)
    if found is None and group.is_rank0 and is_pruned_export(config, parts, where):
        renew_statistics(config, parts, sets, log)
    names = [*parts.weights, *parts.engine.optimizer_names]
    group.broadcast(parts.student.main, parts.student.scope, names, start.iteration)
    plan = _make_plan(config, parts, sets, evaluator, group)
    path, teacher_value = None, None
    measuring = Measuring(sets.val, evaluator, find, log)
    if group.is_rank0:
        path = Path(config.train.output) / "metrics.jsonl"
        _open_folder(path.parent, config, fresh=found is None, where=where)
        teacher_value = None if start.iteration else measure_teacher(config, parts, measuring)
        plan.state["metric_before"] = measure_whole(config, parts, found, measuring)
    at_start = measure_start(parts, plan, start, log)
    if parts.teacher is not None and parts.inference_teacher is not None:
        drop_values(parts.teacher.scope, parts.teacher.shapes())  # its engine has its own
    batches = train_batches(config.train, sets.train, parts.student.built)
    batches = cache_outputs(parts, batches, config.train, log)
    feeds = load_batches(batches, start.iteration, plan.total, workers=config.train.workers)
    shown = bar if group.is_rank0 else None
    every = config.train.log_iter
    per_epoch = samples / (config.train.batch_size * group.size)
    with Reporter(path, plan.total, start.iteration, every, log, shown, per_epoch) as report:
        end = run_loop(parts.engine, plan, feeds, report, start)
    if teacher_value is not None and end.metric is not None and end.metric > teacher_value:
        log("warning: the student is better than its teacher; a better teacher may teach more")
    if at_start is not None and end.best is not None and end.best <= at_start:
        log(f"warning: no better than before the training, when it was {at_start:.4f}")
    result = _make_result(config, parts, plan, end, report, teacher_value)
    data = data_of_run(config.train, sets.train, sets.val)
    result = replace(result, data=data, flops=flops)
    if end.stopped is not None or not group.is_rank0:
        return result
    values = plan.state["metric_before"], end.metric
    return replace(result, pruning=pruning_result(config, parts.student, values, parts.place, log))


def _scaled(
    config: Config, overrides: Sequence[str], log: Log, made_for: int | None = None
) -> Config:
    train, lines = scale_schedule(config.train, world_size(), overrides, made_for=made_for)
    for line in lines:
        log(line)
    return config.model_copy(update={"train": train})


def _open_folder(output: Path, config: Config, *, fresh: bool, where: str) -> None:
    try:
        (output / "checkpoints").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GraphprobeError(
            f"cannot be made ({error.strerror})", where=str(output), hint="set train.output"
        ) from error
    name = "config.yaml" if fresh else "config.resumed.yaml"
    write_whole(output / name, config_text(config, file=where))


def _keep_program(config: Config, parts: Assembly) -> int | None:
    """Write the student, pruned where it is, into the run's folder, which then is a PROGRAM.

    Returns:
        its multiply-adds for one image of the run's size; None where some cannot be counted.
    """
    content = parts.student.source.pruned_content(parts.student.plan)
    folder = Path(config.train.output)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / PROGRAM, content)
    size = config.train.input_size
    found = network_size(load_bytes(content, config.student.program), size)
    return None if found.uncounted else found.flops


def _make_plan(
    config: Config,
    parts: Assembly,
    sets: DataSets,
    evaluator: Evaluator | None,
    group: ProcessGroup,
) -> RunPlan:
    train = config.train
    rate = train.learning_rate
    return RunPlan(
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
        state=_state(config, parts, sets, "" if evaluator is None else evaluator.label),
        weights=parts.weights,
        evaluate=None if evaluator is None else lambda: evaluator.run(parts.student.scope).value,
        group=group,
        weights_of_terms=parts.weights_of_terms,
    )


def _state(config: Config, parts: Assembly, sets: DataSets, label: str) -> dict[str, Any]:
    return {
        "program": config.student.program,
        "config": config.model_dump(mode="json"),
        "seed": config.train.seed,
        "metric": label,
        "class_names": list(sets.train.class_names),
        "data": asdict(data_of_run(config.train, sets.train, sets.val)),
        "teacher_sha256": parts.teacher_sha256,
        "prune": None if parts.student.plan is None else plan_to_json(parts.student.plan),
        **surroundings(),
    }


def _make_result(
    config: Config,
    parts: Assembly,
    plan: RunPlan,
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


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
