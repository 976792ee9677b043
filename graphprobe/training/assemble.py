"""Put a run together: networks, weights, pruning, merge, losses, and the engine that steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from graphprobe.config import (
    Config,
    DistillConfig,
    PruneConfig,
    TrainSection,
    check_fingerprint,
    load_config,
)
from graphprobe.errors import ConfigError, Problem
from graphprobe.programs import load_program
from graphprobe.training.distributed.process_group import use_sync_norm
from graphprobe.training.distributed.ranks import rank, world
from graphprobe.training.feeding.feeding import check_sizes, other_pixels
from graphprobe.training.networks.build import Network, fill, open_network, plan_of
from graphprobe.training.objective import Group, Term, add_term, group_pairs
from graphprobe.training.pruning.cutter import apply_prune
from graphprobe.training.pruning.pairs_after_pruning import pair_problems
from graphprobe.training.runtime.device import is_gpu
from graphprobe.training.runtime.onednn import FLOAT, Pictures
from graphprobe.training.runtime.step import Engine, Feed, Optimizer
from graphprobe.training.teacher.inference import FastTeacher
from graphprobe.training.teacher.merge import merge_teacher, teacher_part
from graphprobe.training.weights.checkpoint import Checkpoint, arrays_sha256

Say = Callable[[str], None]


@dataclass
class Assembly:
    """Everything that steps need.

    Args:
        place: where programs run.
        student: what is trained.
        teacher: what it learns from, with its own scope, or None.
        engine: runs the steps.
        weights: names of the student's parameters and statistics.
        terms: what the pairs came to.
        teacher_sha256: of the teacher's weights, or empty.
        fast: the teacher in the inference engine, where it is there.
    """

    place: Any
    student: Network
    teacher: Network | None
    engine: Engine
    weights: list[str]
    terms: list[Term] = field(default_factory=list)
    teacher_sha256: str = ""
    fast: FastTeacher | None = None


def assemble(
    config: Config, place: Any, *, where: str, say: Say, resumed: Checkpoint | None = None
) -> Assembly:
    """Build, load, cut and merge what a config names.

    Raises:
        ConfigError, LoadError, CheckpointError: what the config names does not fit.
    """
    student = open_student(config, place, where=where, say=say, resumed=resumed)
    if config.train.sync_bn and world() > 1:
        use_sync_norm(student.main, place)
    weights = list(student.shapes())
    teacher = open_teacher(config, place, where=where, say=say)
    terms: list[Term] = []
    block = student.main.global_block()
    losses = {"total": block.var(student.built.loss)}
    digest, fast = "", None
    if teacher is not None and isinstance(config, DistillConfig):
        pixels = other_pixels(student.built, teacher.built)
        if pixels:
            say(f"warning: the teacher was made for other pictures than the student: {pixels}")
        groups = checked_groups(config, student, teacher, where=where)
        digest = arrays_sha256(teacher_values(teacher))
        fast = join(config, student, teacher, place)
        terms = add_terms(groups, student, place)
        student = with_feeds(student, terms)
        losses = total_loss(student, terms)
    engine = make_engine(config, student, losses, place, teacher, fast.extend if fast else None)
    engine.optimizer_names += [name for term in terms for name in term.parameters]
    return Assembly(place, student, teacher, engine, weights, terms, digest, fast)


def open_student(
    config: Config, place: Any, *, where: str, say: Say, resumed: Checkpoint | None = None
) -> Network:
    """The student with its first values, its weights where the config names some, and its cuts.

    Args:
        resumed: the checkpoint from which a run goes on; its cut is replayed and none is made.
    """
    student = open_network(config.student, "student", where=where)
    check_sizes(config.train, student.built, "student", where=where)
    if resumed is not None:
        plan = plan_of(resumed.state.get("prune"), str(resumed.path))
        return fill(student, place, config.train.seed, plan=plan)
    student = fill(student, place, config.train.seed)
    found = prune_config(config, where)
    return student if found is None else _cut(config, student, place, *found, say=say)


def prune_config(config: Config, where: str) -> tuple[PruneConfig, str] | None:
    """What a config cuts, and its file: itself, or the prune.yaml that it names; else None."""
    if isinstance(config, PruneConfig):
        return config, where
    if isinstance(config, DistillConfig) and config.prune is not None:
        # Its section `prune` is all that is taken: the program that it names is not run.
        found = load_config(Path(config.prune).expanduser(), allow_code=True)
        if not isinstance(found, PruneConfig):
            problem = Problem("kind", f"must be prune, not {found.kind}")
            raise ConfigError([problem], where=config.prune)
        return found, config.prune
    return None


def _cut(
    config: Config, student: Network, place: Any, cut: PruneConfig, where: str, *, say: Say
) -> Network:
    if student.plan is not None:
        raise ConfigError(
            [Problem("student.weights", f"{config.student.weights} has been cut already")],
            where=where,
            hint="a network is cut once: name weights of the whole one, or cut nothing more",
        )
    if isinstance(config, DistillConfig):
        program = load_program(config.student.program)
        check_fingerprint(cut.student, program, key="student", where=where)
    summary = apply_prune(student.main, None, student.scope, cut.prune, place=place, where=where)
    before, after = summary.params
    say(f"pruned: {len(summary.shapes)} parameters cut from {before:,} to {after:,} numbers")
    return replace(student, plan=summary.plan)


def open_teacher(config: Config, place: Any, *, where: str, say: Say) -> Network | None:
    """The teacher with its weights; None where the config has no teacher."""
    if not isinstance(config, DistillConfig):
        return None
    if config.teacher.weights is None:
        say("warning: teacher.weights is not set: the teacher is untrained and teaches noise")
    teacher = open_network(config.teacher, "teacher", where=where)
    check_sizes(config.train, teacher.built, "teacher", where=where)
    return fill(teacher, place, config.train.seed + 1)


def teacher_values(teacher: Network) -> dict[str, Any]:
    """Copies of a teacher's parameters and statistics."""
    return {n: np.array(teacher.scope.find_var(n).get_tensor()) for n in teacher.shapes()}


def join(
    config: DistillConfig, student: Network, teacher: Network, place: Any
) -> FastTeacher | None:
    """Bring the teacher's variables into the student's program, the way the config asks for.

    Returns:
        what computes them for a batch; None where merged ops do.
    """
    if config.train.teacher_engine == "merge":
        merge_in(config, student, teacher, place)
        return None
    fast = FastTeacher(teacher, [pair.teacher for pair in config.pairs], place)
    fast.declare(student.main)
    return fast


def merge_in(config: DistillConfig, student: Network, teacher: Network, place: Any) -> None:
    """Merge what the pairs need of the teacher into the student's program."""
    part = teacher_part(teacher.main, (p.teacher for p in config.pairs), teacher.feed_names)
    merge_teacher(
        part,
        student.main,
        teacher.feed_names,
        scope=student.scope,
        teacher_scope=teacher.scope,
        place=place,
    )


def checked_groups(
    config: DistillConfig, student: Network, teacher: Network, *, where: str
) -> list[Group]:
    """The pairs as groups that can be built.

    Raises:
        ConfigError: all that is wrong with them at once.
    """
    groups, problems = group_pairs(config.pairs)
    for group in groups:
        problems += pair_problems(group, student, teacher)
    if problems:
        raise ConfigError(problems, where=where)
    return groups


def add_terms(groups: Sequence[Group], student: Network, place: Any) -> list[Term]:
    """Build every group into the merged program and give its parameters their first values."""
    startup = paddle.static.Program()
    terms = [add_term(group, student.main, startup) for group in groups]
    paddle.static.Executor(place).run(startup, scope=student.scope)
    return terms


def with_feeds(student: Network, terms: Sequence[Term]) -> Network:
    """The student with what the terms are fed among its inputs, so that batches hold it."""
    feeds = dict.fromkeys((*student.built.feeds, *(feed for t in terms for feed in t.feeds)))
    return replace(student, built=replace(student.built, feeds=tuple(feeds)))


def total_loss(student: Network, terms: Sequence[Term]) -> dict[str, Any]:
    """``total``, ``task`` and each weighted term by name; ``TERM/PART`` where it is a sum."""
    task = student.main.global_block().var(student.built.loss)
    with paddle.static.program_guard(student.main), paddle.utils.unique_name.guard("total_"):
        total = paddle.add_n([task.reshape([]), *(term.weighted for term in terms)])
    found = {"total": total, "task": task}
    for term in terms:
        found[term.group.name] = term.weighted
        found |= {f"{term.group.name}/{name}": part for name, part in term.parts.items()}
    return found


def make_engine(
    config: Config,
    student: Network,
    losses: dict[str, Any],
    place: Any,
    teacher: Network | None = None,
    extend: Callable[[Feed], Feed] | None = None,
) -> Engine:
    """The engine with the config's optimizer."""
    train = config.train
    return Engine(
        student.main,
        student.scope,
        place,
        losses,
        Optimizer(train.momentum, train.weight_decay, train.clip_norm),
        # ops that draw numbers, as dropout, draw others in each process
        seed=train.seed + 1_000_003 * rank(),
        onednn=None if is_gpu(place) else onednn_pictures(train, student, teacher),
        extend=extend,
    )


def onednn_pictures(
    train: TrainSection, student: Network, teacher: Network | None
) -> Pictures | None:
    """What oneDNN will be fed; None where it is switched off."""
    if not train.onednn:
        return None
    shapes = [*student.shapes().values(), *(teacher.shapes().values() if teacher else ())]
    numbers = sum(prod(shape) for shape in shapes)
    sizes = train.augment.sizes or (train.image_size,)
    return Pictures(train.batch_size, sizes, numbers * FLOAT)
