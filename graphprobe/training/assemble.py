"""Put a run together: networks, weights, pruning, merge, losses, and the engine that steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from typing import Any

import paddle

from graphprobe.config import Config, DistillConfig, TrainSection
from graphprobe.data.sample import Feed
from graphprobe.errors import ConfigError, Problem
from graphprobe.training.distributed.process_group import use_sync_norm
from graphprobe.training.distributed.ranks import rank, world_size
from graphprobe.training.feeding.feeding import check_sizes
from graphprobe.training.feeding.pixels import Convert, teacher_pixels
from graphprobe.training.networks.build import Network, fill, open_network
from graphprobe.training.networks.source import Networks
from graphprobe.training.networks.task_loss import with_task_loss
from graphprobe.training.objective import Group, Term, add_term, group_pairs
from graphprobe.training.pruning.pairs_after_pruning import pair_problems
from graphprobe.training.reporting.progress import Log
from graphprobe.training.runtime.device import is_gpu
from graphprobe.training.runtime.gradients import refuse_without_gradient
from graphprobe.training.runtime.onednn import FLOAT, BatchGeometry
from graphprobe.training.runtime.programs import get_values, keep_needed, read_names
from graphprobe.training.runtime.step import Engine, Optimizer
from graphprobe.training.student import open_student
from graphprobe.training.teacher.inference import InferenceTeacher
from graphprobe.training.teacher.merge import merge_teacher, merge_with_paddleslim, teacher_part
from graphprobe.training.term_weights import TermWeights, weigh_terms
from graphprobe.training.weights.checkpoint import Checkpoint, arrays_sha256
from graphprobe.zoo import EXPORTED


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
        inference_teacher: the teacher in the inference engine, where it is there.
        networks: builds them in other modes.
        weights_of_terms: follows those that are measured.
    """

    place: Any
    student: Network
    teacher: Network | None
    engine: Engine
    weights: list[str]
    terms: list[Term] = field(default_factory=list)
    teacher_sha256: str = ""
    inference_teacher: InferenceTeacher | None = None
    networks: Networks = field(default_factory=Networks)
    weights_of_terms: TermWeights = field(default_factory=lambda: TermWeights((), 1))


def assemble(
    config: Config,
    place: Any,
    *,
    where: str,
    log: Log,
    resumed: Checkpoint | None = None,
    networks: Networks | None = None,
) -> Assembly:
    """Build, load, prune and join what a config names.

    Args:
        networks: what the command has built already, as for a check; it is used up.

    Raises:
        ConfigError, LoadError, CheckpointError: what the config names does not fit.
    """
    networks = networks if networks is not None else Networks()
    student = open_student(config, place, where=where, log=log, resumed=resumed, networks=networks)
    student = with_task_loss(student, config, where=where)
    if config.train.sync_bn and world_size() > 1:
        use_sync_norm(student.main, place)
    weights = list(student.shapes())
    teacher = open_teacher(config, place, where=where, log=log, networks=networks)
    terms: list[Term] = []
    digest, inference_teacher = "", None
    if teacher is not None and isinstance(config, DistillConfig):
        convert = teacher_pixels(config, student.built, teacher.built, log)
        groups = checked_groups(config, student, teacher, where=where)
        digest = arrays_sha256(teacher_values(teacher))
        inference_teacher = attach_teacher(
            config, groups, student, teacher, place, networks, convert
        )
        terms = add_terms(groups, student, place)
        student = with_feeds(student, terms)
    losses = total_loss(student, terms)
    student = trained_part(student, losses)
    engine = make_engine(
        config,
        student,
        losses,
        place,
        teacher,
        inference_teacher.extend if inference_teacher else None,
    )
    engine.optimizer_names += [name for term in terms for name in term.parameters]
    engine.optimizer_names += [term.weight for term in terms if term.weight is not None]
    return Assembly(
        place,
        student,
        teacher,
        engine,
        weights,
        terms,
        digest,
        inference_teacher,
        networks,
        weigh_terms(engine, student.built.loss, terms, config.train.max_iters, log),
    )


def open_teacher(
    config: Config, place: Any, *, where: str, log: Log, networks: Networks | None = None
) -> Network | None:
    """The teacher with its weights; None where the config has no teacher.

    Args:
        networks: of the command; it keeps the teacher, which nothing changes.
    """
    if not isinstance(config, DistillConfig):
        return None
    networks = networks if networks is not None else Networks()

    def make() -> Network:
        teacher = open_network(config.teacher, "teacher", networks=networks, where=where)
        if not teacher.has_weights:
            log("warning: teacher.weights is not set: the teacher is untrained and teaches noise")
        check_sizes(config.train, teacher.built, "teacher", where=where)
        return fill(teacher, place, config.train.seed + 1)

    key = ("teacher", config.teacher.model_dump_json(), config.train.seed)
    return networks.once(key, make)


def teacher_values(teacher: Network) -> dict[str, Any]:
    """Copies of a teacher's parameters and statistics."""
    return get_values(teacher.scope, teacher.shapes())


def attach_teacher(
    config: DistillConfig,
    groups: Sequence[Group],
    student: Network,
    teacher: Network,
    place: Any,
    networks: Networks,
    convert: Convert | None = None,
) -> InferenceTeacher | None:
    """Bring the teacher's variables into the student's program, the way the config asks for.

    Args:
        groups: the pairs that need them.
        networks: of the command; keeps the inference engine for the run after a check.
        convert: from `teacher_pixels`.

    Returns:
        what computes them for a batch; None where ops in the student's program do.
    """
    wanted = [pair.teacher for group in groups for pair in group.pairs]
    if config.train.teacher_engine == "inference":
        key = ("inference teacher", config.teacher.model_dump_json(), tuple(wanted))
        make = partial(InferenceTeacher, teacher, wanted, place, convert)
        inference_teacher = networks.once(key, make)
        inference_teacher.declare(student.main)
        return inference_teacher
    merge = merge_teacher if config.train.teacher_engine == "own" else merge_with_paddleslim
    merge(
        teacher_part(teacher.main, wanted, teacher.feed_names),
        student.main,
        teacher.feed_names,
        scope=student.scope,
        teacher_scope=teacher.scope,
        place=place,
    )
    return None


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
    """``total``, ``task`` and each weighted term by name; ``TERM/PART`` where it is a sum.

    An exported program has a task only by labels, and a student without a teacher has no terms.

    Raises:
        ConfigError: it has neither.
    """
    loss, block = student.built.loss, student.main.global_block()
    if loss is None and not terms:
        text = f"{student.source.text} has no loss of its own, so it learns from a teacher alone"
        hint = "write a config of kind distill, from its pairs with a teacher"
        raise ConfigError([Problem(f"{student.key}.program", text)], hint=hint)
    if not terms:
        return {"total": block.var(loss)}
    with paddle.static.program_guard(student.main), paddle.utils.unique_name.guard("total_"):
        task = [] if loss is None else [block.var(loss).reshape([])]
        total = paddle.add_n([*task, *(term.weighted for term in terms)])
    found = {"total": total} if loss is None else {"total": total, "task": block.var(loss)}
    for term in terms:
        found[term.group.name] = term.weighted
        found |= {f"{term.group.name}/{name}": part for name, part in term.parts.items()}
    return found


def trained_part(student: Network, losses: Mapping[str, Any]) -> Network:
    """The student without the ops that no loss depends on, as the decoding of an exported program.

    Its inputs are those that are left to feed. Any other network comes back as it is: there is
    nothing in it beside its loss.

    Raises:
        TrainError: gradients would have to pass ops that have none; all of them.
    """
    if student.built.task != EXPORTED:
        return student
    keep_needed(student.main, [var.name for var in losses.values()])
    refuse_without_gradient(student.main, where=student.source.text)
    read = read_names(student.main)
    feeds = tuple(feed for feed in student.built.feeds if feed[0] in read)
    return replace(student, built=replace(student.built, feeds=feeds))


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
        Optimizer(train.momentum, train.weight_decay, train.clip_norm, train.optimizer),
        # random ops, as dropout, draw other numbers in each process
        seed=train.seed + 1_000_003 * rank(),
        onednn=None if is_gpu(place) else batch_geometry(train, student, teacher),
        extend=extend,
    )


def batch_geometry(
    train: TrainSection, student: Network, teacher: Network | None
) -> BatchGeometry | None:
    """What oneDNN will be fed; None where it is switched off."""
    if not train.onednn:
        return None
    shapes = [*student.shapes().values(), *(teacher.shapes().values() if teacher else ())]
    elements = sum(prod(shape) for shape in shapes)
    sizes = train.augment.sizes or (max(train.input_size),)
    return BatchGeometry(train.batch_size, sizes, elements * FLOAT)
