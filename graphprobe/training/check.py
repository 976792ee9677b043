"""Try a config on one batch: what each pair does to the student, before training.

What is tried is what `run_training` will run: the same student with its weights and its pruning,
the teacher in the same engine, the same losses. `Networks` carries it from the check to the run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import hypot
from typing import Any

import numpy as np
import paddle

from graphprobe.config import Config, DistillConfig
from graphprobe.data.sample import Feed
from graphprobe.errors import GraphprobeError, Problem
from graphprobe.training.assemble import (
    add_terms,
    attach_teacher,
    make_engine,
    open_teacher,
    total_loss,
    trained_part,
    with_feeds,
)
from graphprobe.training.feeding.feeding import open_sets, train_batches
from graphprobe.training.feeding.pixels import teacher_pixels
from graphprobe.training.networks.build import Network
from graphprobe.training.networks.source import Networks
from graphprobe.training.networks.task_loss import with_task_loss
from graphprobe.training.objective import Group, Term, group_pairs
from graphprobe.training.pruning.pairs_after_pruning import pair_problems
from graphprobe.training.reporting.progress import Log
from graphprobe.training.reporting.result import data_of_run
from graphprobe.training.reporting.verdict import GradientStats, TermRow, Verdict
from graphprobe.training.run_record import teacher_warnings
from graphprobe.training.runtime.step import Engine
from graphprobe.training.student import try_student
from graphprobe.training.teacher.merge import PREFIX
from graphprobe.training.term_weights import auto_terms, next_weight
from graphprobe.waits import waiting_for

# A weighted term this many times the task's loss, or less than its inverse, is worth a warning.
FAR = 1000.0


def probe_distillation(
    config: DistillConfig, place: Any, *, where: str, log: Log, networks: Networks | None = None
) -> Verdict:
    """Put the run together as training does, run one batch, and look at every term.

    Args:
        networks: of the command; keeps what is built for the run that follows.

    Raises:
        GraphprobeError: the programs, their weights or the data cannot be opened.
    """
    networks = networks if networks is not None else Networks()
    student = try_student(config, place, where=where, log=log, networks=networks)
    student = with_task_loss(student, config, where=where)
    teacher = open_teacher(config, place, where=where, log=log, networks=networks)
    assert teacher is not None  # noqa: S101 - the kind is distill
    sets = open_sets(config.train, student.built)
    data = data_of_run(config.train, sets.train, sets.val)
    groups, problems = group_pairs(config.pairs)
    wrong = {g.name: pair_problems(g, student, teacher) for g in groups}
    fit = [group for group in groups if not wrong[group.name]]
    rows = {g.name: _failed(g, wrong[g.name]) for g in groups}
    if not fit:
        return Verdict(None, tuple(rows.values()), tuple(problems), (), 0, data=data)
    student_names = [p.name for p in student.main.all_parameters()]
    convert = teacher_pixels(config, student.built, teacher.built, log)
    inference_teacher = attach_teacher(config, fit, student, teacher, place, networks, convert)
    terms = add_terms(fit, student, place)
    student = with_feeds(student, terms)
    losses = total_loss(student, terms)
    student = trained_part(student, losses)
    feed: Feed = train_batches(config.train, sets.train, student.built).batch(0)
    feed = feed if inference_teacher is None else inference_teacher.extend(feed)
    of_losses = {name for term in terms for name in term.parameters}
    # Without a task of its own, the sum of all terms is what each of them is measured by.
    base = student.built.loss or losses["total"].name
    scalars = [base, *(term.plain.name for term in terms)]
    met = list(dict.fromkeys(name for one in auto_terms(terms) for name in one.features))
    with waiting_for("running one batch"):
        task, *reaches = gradient_stats(student, scalars, feed, place, of_losses, met)
    busy = max(sum(not _is_idle(term, feed) for term in terms), 1)
    for term, found in zip(terms, reaches, strict=True):
        rows[term.group.name] = _row(term, found, task, busy, idle=_is_idle(term, feed))
    engine = make_engine(config, student, losses, place)
    with waiting_for("taking one step"):
        problems += _moved(engine, feed)
    table = tuple(rows.values())
    return Verdict(
        task,
        table,
        tuple(problems),
        (*teacher_warnings(teacher, sets.train), *_warnings(table, task)),
        len(student_names),
        config.train.teacher_engine,
        data,
    )


def probe_training(
    config: Config, place: Any, *, where: str, log: Log, networks: Networks | None = None
) -> Verdict:
    """Run one batch of a config without a teacher: is the loss finite, and does it reach?

    Args:
        networks: of the command; keeps what is built for the run that follows.

    Raises:
        GraphprobeError: the program, its weights or the data cannot be opened.
    """
    networks = networks if networks is not None else Networks()
    student = try_student(config, place, where=where, log=log, networks=networks)
    student = with_task_loss(student, config, where=where)
    losses = total_loss(student, ())
    student = trained_part(student, losses)
    base = losses["total"].name
    sets = open_sets(config.train, student.built)
    data = data_of_run(config.train, sets.train, sets.val)
    feed = train_batches(config.train, sets.train, student.built).batch(0)
    with waiting_for("running one batch"):
        [task] = gradient_stats(student, [base], feed, place)
    count = len(student.main.all_parameters())
    problems = []
    if not np.isfinite(task.value) or not np.isfinite(task.gradient):
        problems.append(Problem("train", f"loss {task.value}, gradient {task.gradient}"))
    elif not task.reached:
        problems.append(Problem("student", "no gradient reaches a parameter"))
    return Verdict(task, (), tuple(problems), (), count, data=data)


def gradient_stats(
    student: Network,
    losses: Sequence[str],
    feed: Feed,
    place: Any,
    of_losses: Collection[str] = (),
    features: Sequence[str] = (),
) -> list[GradientStats]:
    """Run scalars of the student's program and the gradient of each on one batch.

    All of them are of one run: the forward pass is computed once, and Paddle prepares one program.

    Args:
        losses: names of the scalars.
        of_losses: parameters of losses, which are none of the student's.
        features: the student's variables where gradients are looked at as well.
    """
    program = student.main.clone()
    block = program.global_block()
    own = [p for p in program.all_parameters() if p.trainable and p.name not in of_losses]
    teacher = [
        var for name, var in block.vars.items() if name.startswith(PREFIX) and var.persistable
    ]
    inputs = [*own, *teacher, *map(block.var, features)]
    with paddle.static.program_guard(program):
        gradients = [paddle.static.gradients(block.var(loss), inputs) for loss in losses]
    fetched = paddle.static.Executor(place).run(
        program,
        feed=dict(feed),
        fetch_list=[*losses, *(g.name for found in gradients for g in found if g is not None)],
        scope=student.scope,
    )
    values = [float(np.asarray(value).reshape(-1)[0]) for value in fetched[: len(losses)]]
    norms = (float(np.linalg.norm(np.asarray(g, np.float64))) for g in fetched[len(losses) :])
    found = []
    for value, of_loss in zip(values, gradients, strict=True):
        norm = [next(norms) if gradient is not None else 0.0 for gradient in of_loss]
        reached, moved, at = np.split(norm, [len(own), len(own) + len(teacher)])
        found.append(
            GradientStats(
                value=value,
                gradient=float(np.linalg.norm(reached)),
                reached=int((reached > 0).sum()),
                teacher=tuple(v.name for v, n in zip(teacher, moved, strict=True) if n != 0),
                at=dict(zip(features, map(float, at), strict=True)),
            )
        )
    return found


def _failed(group: Group, problems: Sequence[Problem]) -> TermRow:
    return TermRow(
        group.name,
        group.loss.name,
        _names(group),
        group.weight or 0.0,
        auto=group.weight is None,
        problems=tuple(problems),
    )


def _names(group: Group) -> tuple[tuple[str, str], ...]:
    return tuple((pair.student, pair.teacher) for pair in group.pairs)


def _is_idle(term: Term, feed: Feed) -> bool:
    """Whether the maps that a term is fed are all zero: a level may have no box in one batch."""
    return bool(term.feeds) and not any(feed[name].any() for name, _, _ in term.feeds)


def _row(
    term: Term, found: GradientStats, task: GradientStats, count: int, *, idle: bool
) -> TermRow:
    group = term.group
    weight = group.weight if group.weight is not None else _weight_now(term, found, task)
    usable = np.isfinite(found.gradient) and found.gradient > 0 and group.weight is not None
    return TermRow(
        term=group.name,
        loss=group.loss.name,
        pairs=_names(group),
        weight=weight,
        auto=group.weight is None,
        value=found.value,
        share=_over(weight * found.value, task.value),
        gradient_share=_over(weight * found.gradient, task.gradient),
        suggested=_round(task.gradient / (count * found.gradient)) if usable else None,
        reached=found.reached,
        idle=idle,
        problems=tuple(Problem(group.path, text) for text in _faults(found, group, idle=idle)),
    )


def _weight_now(term: Term, found: GradientStats, task: GradientStats) -> float:
    """The weight that is measured, as far as one batch shows."""
    (auto,) = auto_terms([term])
    of_task, of_term = (hypot(*(of.at[name] for name in auto.features)) for of in (task, found))
    return next_weight(0.0, of_task, of_term) or auto.usual


def _over(value: float, base: float) -> float | None:
    return value / base if np.isfinite(value) and np.isfinite(base) and base else None


def _round(value: float) -> float | None:
    return float(f"{value:.2g}") if np.isfinite(value) else None


def _faults(found: GradientStats, group: Group, *, idle: bool) -> list[str]:
    student = ", ".join(pair.student for pair in group.pairs)
    faults = []
    if not np.isfinite(found.value):
        faults.append(f"the loss is {found.value} on the first batch")
    elif not np.isfinite(found.gradient):
        faults.append("its gradient is not finite")
    elif not found.reached and not idle:
        faults.append(f"no gradient reaches a parameter of the student through {student}")
    if found.teacher:
        faults.append(f"the teacher's {found.teacher[0]} gets a gradient")
    return faults


def _moved(engine: Engine, feed: Feed) -> list[Problem]:
    """Take one real step and see that nothing of the teacher moves."""
    names = [name for name in engine.state_names if name.startswith(PREFIX)]
    before = engine.values(names)
    try:
        engine.step(1, feed, 1e-6)
    except GraphprobeError as error:
        return [Problem("train", error.message)]
    after = engine.values(names)
    moved = [name for name in names if not np.array_equal(before[name], after[name])]
    return [Problem("teacher", f"{name} moved in a step") for name in moved]


def _warnings(rows: Sequence[TermRow], task: GradientStats) -> tuple[str, ...]:
    problems = [] if np.isfinite(task.value) else [f"the task's own loss is {task.value}"]
    problems += [
        f"{row.term}: no box of this batch is at its level, so it compares nothing"
        for row in rows
        if row.idle
    ]
    for row in rows:
        if row.idle or row.auto or row.share is None or 1 / FAR <= row.share <= FAR:
            continue
        hint = (
            f"; weight {row.suggested:g} sends a gradient like the task's" if row.suggested else ""
        )
        problems += [f"{row.term}: weighted, it is {row.share:.3g} times the task's loss{hint}"]
    return tuple(problems)
