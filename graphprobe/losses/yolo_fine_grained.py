"""The parts of a YOLO head, each with a loss of its own, weighted by the teacher's objectness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphprobe.ir import Shape
from graphprobe.losses._base import Loss, detach, known, same_shape


def _check(students: Sequence[Shape], teachers: Sequence[Shape]) -> list[str]:
    problems = []
    for part, student, teacher in zip(LOSS.inputs, students, teachers, strict=True):
        problems += same_shape(student, teacher, part)
    for side, shapes in (("student", students), ("teacher", teachers)):
        *boxes, classes = shapes
        if any(len(shape) != len(boxes[0]) for shape in boxes):
            problems.append(f"{side}: x, y, w, h and objectness differ in dimensions")
        elif len(classes) != len(boxes[0]) + 1:
            problems.append(
                f"{side}: class must have one dimension more than objectness, at the end"
            )
        elif any(known(a, b) and a != b for a, b in zip(boxes[4], classes, strict=False)):
            problems.append(f"{side}: class {list(classes)} does not fit {list(boxes[4])}")
    return problems


def _build(students: Sequence[Any], teachers: Sequence[Any]) -> Any:
    """reg + cls + obj of one scale; the whole loss is the sum over the scales.

    With sigma the sigmoid and BCE(z, y) the cross entropy of sigma(z) with target y:
    reg = mean((BCE(sx, sigma(tx)) + BCE(sy, sigma(ty)) + |sw - tw| + |sh - th|) * sigma(tobj));
    cls = mean(BCE(scls, sigma(tcls)) * sigma(tobj)), the weight repeated over the classes;
    obj = mean(BCE(sobj, 1 where tobj > 0)).

    Args:
        students: raw outputs x, y, w, h, objectness, each [N, A, H, W], and class
            [N, A, H, W, C].
        teachers: the same of the teacher.

    Returns:
        a scalar, [].

    Source: Mehta and Ozturk, "Object detection at 200 Frames Per Second", arXiv 1805.06361, in
    the form of PaddleDetection's slim/distillation, which takes it 1000 times on COCO. The
    paper's non-maximum suppression on the teacher's feature maps is not part of it.
    """
    import paddle
    from paddle.nn import functional as f

    sx, sy, sw, sh, sobj, scls = students
    tx, ty, tw, th, tobj, tcls = detach(teachers)
    weight = f.sigmoid(tobj)
    centers = _bce(sx, f.sigmoid(tx)) + _bce(sy, f.sigmoid(ty))
    sizes = paddle.abs(sw - tw) + paddle.abs(sh - th)
    regression = paddle.mean((centers + sizes) * weight)
    classes = paddle.mean(_bce(scls, f.sigmoid(tcls)) * paddle.unsqueeze(weight, -1))
    there = paddle.cast(tobj > 0.0, sobj.dtype)
    there.stop_gradient = True
    return regression + classes + paddle.mean(_bce(sobj, there))


def _bce(logits: Any, targets: Any) -> Any:
    from paddle.nn import functional as f

    return f.binary_cross_entropy_with_logits(logits, targets, reduction="none")


LOSS = Loss(
    "yolo_fine_grained",
    inputs=("x", "y", "w", "h", "objectness", "class"),
    default_weight=1000.0,
    check=_check,
    build=_build,
)
