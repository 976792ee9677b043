"""Localization distillation: boxes as distributions, compared in the regions that LD selects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, by_stride, detach, known, same_shape
from graphprobe.losses._batch_count import batch_count

EDGES = 4


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    problems = []
    for part, student, teacher in zip(LOSS.inputs, students, teachers, strict=True):
        if len(student) != 4:
            problems.append(f"{part}: must be [N, C, H, W], not {list(student)}")
            continue
        problems += same_shape(student, teacher, part)
    if problems:
        return problems
    classes, bins = students
    if bins[1] < 2 * EDGES or bins[1] % EDGES:
        problems.append(f"distribution: {bins[1]} channels are not those of 4 edges of some bins")
    if any(known(a, b) and a != b for a, b in zip(classes[2:], bins[2:], strict=True)):
        problems.append(f"class {list(classes)} and distribution {list(bins)} differ in H or W")
    return problems


def _build(
    students: Sequence[Any],
    teachers: Sequence[Any],
    *,
    targets: Sequence[Any],
    main: float = 0.25,
    valuable: float = 0.25,
    classes: float = 10.0,
    temperature: float = 10.0,
    class_temperature: float = 2.0,
    stride: int = 0,
) -> dict[str, Any]:
    """The `terms`, each with its weight.

    Args:
        students: class logits [N, C, h, w] and distributions [N, 4 * bins, h, w] of one level.
        teachers: the same of the teacher.
        targets: the maps ``ld_main`` and ``ld_valuable`` of the level, [N, 1, h, w].
        main: weight of the boxes in the main region.
        valuable: weight of the boxes in the valuable localization region.
        classes: weight of the classes.
        temperature: of the distributions.
        class_temperature: of the classes.
        stride: of the level; names the targets.

    Returns:
        name -> scalar, []; they add up to the loss.

    Source: Zheng et al., "Localization Distillation for Dense Object Detection", arXiv
    2102.12252; weights and sums as in `LDGFLHead` of PaddleDetection 2.6.
    """
    del stride
    found = terms(
        students,
        detach(teachers),
        targets,
        temperature=temperature,
        class_temperature=class_temperature,
    )
    weights = (main, valuable, classes)
    return {name: w * term for w, (name, term) in zip(weights, found.items(), strict=True)}


def terms(
    students: Sequence[Any],
    teachers: Sequence[Any],
    targets: Sequence[Any],
    *,
    temperature: float,
    class_temperature: float,
) -> dict[str, Any]:
    """The three terms of one level, over all its cells and the whole batch.

    With KL(T) = T^2 / n sum over n of p_t log(p_t / p_s), p = softmax(. / T), and KL_box its sum
    over the four edges: main = sum m w KL_box / 4, w the student's highest class score;
    valuable = sum v KL_box / 16; classes = sum m KL_class / sum m.

    Args:
        students: class logits and distributions, raw.
        teachers: the same of the teacher, detached.
        targets: m [N, 1, h, w], 1 where a cell has an object, else 0; v [N, 1, h, w], the weight
            of a cell in the valuable localization region.

    Returns:
        name -> scalar, [].
    """
    import paddle

    (logits, boxes), (teacher_logits, teacher_boxes) = students, teachers
    inside, near = (paddle.squeeze(x, 1) for x in targets)
    score = paddle.nn.functional.sigmoid(logits).max(axis=1)
    score.stop_gradient = True
    box = paddle.sum(_divergence(_edges(boxes), _edges(teacher_boxes), temperature), axis=3)
    last = [0, 2, 3, 1]
    label = _divergence(
        paddle.transpose(logits, last), paddle.transpose(teacher_logits, last), class_temperature
    )
    count = batch_count(paddle.sum(inside))
    return {
        "main": paddle.sum(inside * score * box) / 4.0,
        "valuable": paddle.sum(near * box) / 16.0,
        "classes": paddle.sum(inside * label) / count,
    }


def _edges(boxes: Any) -> Any:
    """[N, 4 * bins, h, w] -> [N, h, w, 4, bins]."""
    import paddle

    return paddle.reshape(
        paddle.transpose(boxes, [0, 2, 3, 1]), [0, 0, 0, EDGES, boxes.shape[1] // EDGES]
    )


def _divergence(student: Any, teacher: Any, temperature: float) -> Any:
    """T^2 times the mean over the last axis of p_t log(p_t / p_s): that axis goes."""
    import paddle
    from paddle.nn import functional as f

    wanted = f.softmax(teacher / temperature, axis=-1)
    gap = f.log_softmax(teacher / temperature, axis=-1) - f.log_softmax(student / temperature, -1)
    return paddle.mean(wanted * gap, axis=-1) * temperature**2


LOSS = Loss(
    "ld",
    inputs=("class", "distribution"),
    default_weight=1.0,
    check=_check,
    build=_build,
    targets=by_stride("ld_main", "ld_valuable"),
    options={
        "stride": 0,
        "main": 0.25,
        "valuable": 0.25,
        "classes": 10.0,
        "temperature": 10.0,
        "class_temperature": 2.0,
    },
)
