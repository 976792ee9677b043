"""The loss that labels give an exported program: it has lost that of its own training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import paddle

from graphprobe.config import Config, PruneConfig, TaskSection
from graphprobe.errors import ConfigError, Problem, did_you_mean
from graphprobe.training.networks.build import Network
from graphprobe.zoo import EXPORTED, Feed

LABEL: Feed = ("label", (-1, 1), "int64")
# What labels each loss takes.
_TASKS = {"cross_entropy": "classification"}


def with_task_loss(student: Network, config: Config, *, where: str) -> Network:
    """The student of a run with the loss that its config names; as it is where there is none.

    Args:
        student: with a program of its own, which is extended.
        config: of the run.
        where: the config's file.

    Raises:
        ConfigError: the loss does not fit the student.
    """
    task = None if isinstance(config, PruneConfig) else config.task
    if task is None:
        return student
    problems = _problems(student, task)
    if problems:
        raise ConfigError(problems, where=where)
    startup = paddle.static.Program()
    with (
        paddle.static.program_guard(student.main, startup),
        paddle.utils.unique_name.guard("task_"),
    ):
        feeds, loss = _cross_entropy(student.main, task)
        loss = paddle.scale(loss.reshape([]), scale=task.weight)
    meta = {**student.built.meta, "labels": (_TASKS[task.loss], len(task.classes))}
    feeds = (*student.built.feeds, *feeds)
    return replace(student, built=replace(student.built, feeds=feeds, loss=loss.name, meta=meta))


def _problems(student: Network, task: TaskSection) -> list[Problem]:
    if student.built.task != EXPORTED:
        return [Problem("task", f"{student.source.text} has a loss of its own; set task to null")]
    block = student.main.global_block()
    problems = []
    for index, name in enumerate(task.outputs):
        path = f"task.outputs[{index}]"
        if not block.has_var(name):
            hint = did_you_mean(name, block.vars)
            text = f"the student has no variable {name!r}"
            problems.append(Problem(path, f"{text}; {hint}" if hint else text))
            continue
        shape = tuple(block.var(name).shape)
        if not 0 < task.axis < len(shape) or max(task.classes) >= shape[task.axis]:
            text = (
                f"{name} {list(shape)} has no {max(task.classes) + 1} classes at axis {task.axis}"
            )
            problems.append(Problem(path, text))
    if block.has_var(LABEL[0]):
        problems.append(Problem("task", "a variable inside the student is called label, as labels"))
    return problems


def _cross_entropy(program: Any, task: TaskSection) -> tuple[tuple[Feed, ...], Any]:
    """The mean over images of the cross entropy of the true class."""
    scores = program.global_block().var(task.outputs[0])
    rows = paddle.reshape(scores, [-1, scores.shape[task.axis]])
    label = paddle.static.data(*LABEL)
    loss = paddle.nn.functional.cross_entropy(rows, _in_program(label, task))
    return (LABEL,), loss


def _in_program(label: Any, task: TaskSection) -> Any:
    """The program's numbers of classes that the data number in their own way."""
    if task.classes == tuple(range(len(task.classes))):
        return label
    table = paddle.assign(np.asarray(task.classes, np.int64))
    return paddle.reshape(paddle.gather(table, paddle.reshape(label, [-1])), paddle.shape(label))
