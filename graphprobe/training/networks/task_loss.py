"""The loss that labels give an exported program: it has lost that of its own training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import paddle

from graphprobe.config import Config, PruneConfig, TaskSection
from graphprobe.errors import ConfigError, Problem, did_you_mean
from graphprobe.training.networks.build import Network
from graphprobe.zoo import EXPORTED, InputSpec, YoloHead, pixel_loss, whole_loss

# How many boxes of an image are learned from.
_MOST_BOXES = 50


@dataclass(frozen=True)
class TaskLoss:
    """One loss of labels.

    Args:
        task: of the data that have such labels.
        feeds: what a batch holds of them.
        build: (section, the variables that it reads, the inputs) -> a scalar.
    """

    task: str
    feeds: tuple[InputSpec, ...]
    build: Callable[[TaskSection, list[Any], list[Any]], Any]


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
    kind = TASK_LOSSES[task.loss]
    problems = list(_problems(student, task, kind))
    if problems:
        raise ConfigError(problems, where=where)
    with (
        paddle.static.program_guard(student.main, paddle.static.Program()),
        paddle.utils.unique_name.guard("task_"),
    ):
        read = [student.main.global_block().var(name) for name in task.outputs]
        inputs = [paddle.static.data(*feed) for feed in kind.feeds]
        loss = paddle.scale(kind.build(task, read, inputs).reshape([]), scale=task.weight)
    labels = (kind.task, len(task.classes))
    meta = {**student.built.meta, "labels": labels, "max_boxes": _MOST_BOXES}
    feeds = (*student.built.feeds, *kind.feeds)
    return replace(student, built=replace(student.built, feeds=feeds, loss=loss.name, meta=meta))


def _problems(student: Network, task: TaskSection, kind: TaskLoss) -> Iterator[Problem]:
    if student.built.task != EXPORTED:
        yield Problem("task", f"{student.source.text} has a loss of its own; set task to null")
        return
    block = student.main.global_block()
    for index, name in enumerate(task.outputs):
        path = f"task.outputs[{index}]"
        if not block.has_var(name):
            hint = did_you_mean(name, block.vars)
            text = f"the student has no variable {name!r}"
            yield Problem(path, f"{text}; {hint}" if hint else text)
            continue
        text = _misfit(task, index, tuple(block.var(name).shape))
        if text:
            yield Problem(path, f"{name} {list(block.var(name).shape)} {text}")
    if task.loss == "yolo" and not len(task.outputs) == len(task.anchors) == len(task.downsample):
        yield Problem("task.anchors", "each output needs its anchors and its downsample")
    for name, _, _ in kind.feeds:
        if block.has_var(name):
            text = f"a variable inside the student is called {name}, as batches call its labels"
            yield Problem("task", text)


def _misfit(task: TaskSection, index: int, shape: tuple[int, ...]) -> str:
    """Why a loss cannot read a variable of such a shape; empty where it can."""
    highest = max(task.classes)
    if task.loss != "yolo":
        fits = 0 < task.axis < len(shape) and highest < shape[task.axis]
        fits &= task.loss != "pixel_cross_entropy" or len(shape) == 4
        return "" if fits else f"has no {highest + 1} classes at axis {task.axis}"
    if index >= len(task.anchors) or len(shape) != 4:
        return "is no map with anchors"
    count, rest = divmod(shape[1], max(len(task.anchors[index]) // 2, 1))
    return "" if not rest and count - 5 > highest else f"has no {highest + 1} classes an anchor"


def _cross_entropy(task: TaskSection, read: list[Any], inputs: list[Any]) -> Any:
    """The mean over images of the cross entropy of the true class."""
    rows = paddle.reshape(read[0], [-1, read[0].shape[task.axis]])
    return paddle.nn.functional.cross_entropy(rows, _in_program(inputs[0], task))


def _pixel_cross_entropy(task: TaskSection, read: list[Any], inputs: list[Any]) -> Any:
    """The mean over pixels whose class is known, of scores that are resized to the masks."""
    label, counts = inputs
    scores = paddle.moveaxis(read[0], task.axis, 1) if task.axis != 1 else read[0]
    size = paddle.shape(label)[2:4]
    scores = paddle.nn.functional.interpolate(scores, size=size, mode="bilinear")
    return pixel_loss(scores, _in_program(label, task), counts, read[0].shape[task.axis])


def _yolo(task: TaskSection, read: list[Any], inputs: list[Any]) -> Any:
    """The sum over outputs of the yolov3_loss that their decoding belongs to."""
    flat = [sizes[i : i + 2] for sizes in task.anchors for i in range(0, len(sizes), 2)]
    counts = [len(sizes) // 2 for sizes in task.anchors]
    starts = np.cumsum([0, *counts]).tolist()
    masks = tuple(tuple(range(a, a + n)) for a, n in zip(starts, counts, strict=False))
    classes = read[0].shape[1] // counts[0] - 5
    anchors = tuple((width, height) for width, height in flat)
    head = YoloHead(classes, anchors, masks, task.downsample)
    boxes, numbers, scores = inputs
    truth = (boxes, _in_program(numbers, task), scores)
    return whole_loss(read, head, truth, label_smooth=False, scale_x_y=task.scale_x_y)["loss"]


def _in_program(label: Any, task: TaskSection) -> Any:
    """The program's numbers of classes that the data number in their own way."""
    if task.classes == tuple(range(len(task.classes))):
        return label
    table = paddle.cast(paddle.assign(np.asarray(task.classes, np.int64)), label.dtype)
    found = paddle.gather(table, paddle.reshape(label, [-1]))
    open_sides = sum(side < 0 for side in label.shape)
    # yolov3_loss wants to know how many boxes there are
    shape = list(label.shape) if open_sides == 1 else paddle.shape(label)
    return paddle.reshape(found, shape)


TASK_LOSSES = {
    "cross_entropy": TaskLoss("classification", (("label", (-1, 1), "int64"),), _cross_entropy),
    "pixel_cross_entropy": TaskLoss(
        "segmentation",
        (("label", (-1, 1, -1, -1), "int32"), ("mask", (-1, 1, -1, -1), "int32")),
        _pixel_cross_entropy,
    ),
    "yolo": TaskLoss(
        "detection",
        (
            ("gt_bbox", (-1, _MOST_BOXES, 4), "float32"),
            ("gt_class", (-1, _MOST_BOXES), "int32"),
            ("gt_score", (-1, _MOST_BOXES), "float32"),
        ),
        _yolo,
    ),
}
