"""The YOLOv3 loss spelled out in elementary ops, as use_fine_grained_loss of PaddleDetection.

The parts of each map (x, y, w, h, objectness, classes) become variables of their own, which is
what distilling them one by one needs (https://arxiv.org/abs/1805.06361).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import paddle
from paddle.vision.ops import yolo_box

from graphprobe.zoo._emit import Var, emit
from graphprobe.zoo._layers import add_up, mean, transpose
from graphprobe.zoo._yolo_head import YoloHead
from graphprobe.zoo._yolo_loss import IGNORE_THRESHOLD


@dataclass(frozen=True, slots=True)
class Parts:
    """One map or one target, taken apart: [N, A, h, w] each, classes [N, A, h, w, C]."""

    x: Var
    y: Var
    w: Var
    h: Var
    score: Var
    classes: Var


def fine_loss(
    maps: Sequence[Var], head: YoloHead, boxes: Var, targets: Sequence[Var]
) -> dict[str, Var]:
    """The loss by terms.

    Args:
        maps: from `yolo_outputs`.
        head: its settings.
        boxes: gt_bbox [N, B, 4] (center x, y, width, height over the image's size).
        targets: for each map [N, A, 6 + C, h, w]: x, y, w, h, the box's weight (2 - its area),
            the object's score, and the classes as ones and zeros.

    Returns:
        ``loss_xy``, ``loss_wh``, ``loss_obj``, ``loss_cls`` and their sum ``loss``, scalars.
    """
    terms: dict[str, list[Var]] = {key: [] for key in ("xy", "wh", "obj", "cls")}
    for index, (x, target) in enumerate(zip(maps, targets, strict=True)):
        found = _split_map(x, len(head.masks[index]), head.num_classes)
        wanted, weight = _split_target(target)
        _add_box_terms(terms, found, wanted, weight * wanted.score)
        free = _free_of_overlap(x, boxes, head, index)
        terms["obj"].append(mean(_object_loss(found.score, wanted.score, free)))
        terms["cls"].append(mean(_class_loss(found, wanted)))
    losses = {f"loss_{key}": add_up(values) for key, values in terms.items()}
    return {"loss": add_up(list(losses.values())), **losses}


def _split_map(x: Var, anchors: int, classes: int) -> Parts:
    """[N, A * (5 + C), h, w] -> its parts; every anchor has its own 5 + C channels."""
    step, channels = 5 + classes, x.shape[1]
    box = [
        emit(
            "strided_slice",
            {"Input": x},
            {"axes": [1], "starts": [start], "ends": [channels], "strides": [step]}
            | {"infer_flags": [1], "decrease_axis": []},
        )
        for start in range(5)
    ]
    each = [_cut(x, 1, step * anchor + 5, step * (anchor + 1)) for anchor in range(anchors)]
    stacked = emit("stack", {"X": each}, {"axis": 1}, slot="Y")
    return _parts(box, transpose(stacked, [0, 1, 3, 4, 2]))


def _split_target(target: Var) -> tuple[Parts, Var]:
    """[N, A, 6 + C, h, w] -> its parts, and the weight of each box."""
    parts = [_cut(target, 2, index, index + 1, drop=True) for index in range(6)]
    classes = transpose(_cut(target, 2, 6, target.shape[2]), [0, 1, 3, 4, 2])
    classes.stop_gradient = True
    weight = parts.pop(4)
    return _parts(parts, classes), weight


def _parts(box: Sequence[Var], classes: Var) -> Parts:
    x, y, w, h, score = box
    return Parts(x, y, w, h, score, classes)


def _cut(x: Var, axis: int, start: int, end: int, drop: bool = False) -> Var:
    """A range of one axis; with `drop` that axis, then of size 1, goes away."""
    attrs = {"axes": [axis], "starts": [start], "ends": [end], "infer_flags": [1]}
    return emit("slice", {"Input": x}, {**attrs, "decrease_axis": [axis] if drop else []})


def _cross_entropy(logits: Var, wanted: Var) -> Var:
    """Element by element, with a sigmoid; the shape of `logits`."""
    attrs = {"ignore_index": -100, "normalize": False}
    return emit("sigmoid_cross_entropy_with_logits", {"X": logits, "Label": wanted}, attrs)


def _per_image(x: Var) -> Var:
    """[N, ...] -> [N], summed."""
    attrs = {"dim": list(range(1, len(x.shape))), "keep_dim": False, "reduce_all": False}
    return emit("reduce_sum", {"X": x}, attrs)


def _distance(x: Var, wanted: Var) -> Var:
    return emit("abs", {"X": x - wanted})


def _add_box_terms(terms: dict[str, list[Var]], found: Parts, wanted: Parts, weight: Var) -> None:
    """Cross entropy of the centers and L1 distance of the sizes, where objects are."""
    x = _per_image(_cross_entropy(found.x, wanted.x) * weight)
    y = _per_image(_cross_entropy(found.y, wanted.y) * weight)
    w = _per_image(_distance(found.w, wanted.w) * weight)
    h = _per_image(_distance(found.h, wanted.h) * weight)
    terms["xy"].append(mean(x + y))
    terms["wh"].append(mean(w + h))


def _object_loss(found: Var, score: Var, free: Var) -> Var:
    """[N]: cross entropy of objectness.

    Args:
        found: logits [N, A, h, w].
        score: of the object there, 0 where there is none.
        free: 1 where a place without object counts, else 0.
    """
    zero = paddle.full([1], 0.0)
    there = emit("greater_than", {"X": score, "Y": zero}, {"axis": -1}, dtype="bool")
    mask = paddle.cast(there, "float32")
    mask.stop_gradient = True
    loss = _cross_entropy(found, mask)
    return _per_image(loss * score) + _per_image(loss * (1.0 - mask) * free)


def _class_loss(found: Parts, wanted: Parts) -> Var:
    """[N]: cross entropy of each class, where objects are."""
    loss = _cross_entropy(found.classes, wanted.classes)
    weighted = emit("elementwise_mul", {"X": loss, "Y": wanted.score}, {"axis": 0})
    return _per_image(weighted)


def _free_of_overlap(x: Var, boxes: Var, head: YoloHead, index: int) -> Var:
    """[N, A, h, w]: 1 where the decoded box overlaps no true box by more than the threshold."""
    ones = {"shape": [-1, 2], "value": 1.0, "dtype": 2, "input_dim_idx": 0, "output_dim_idx": 0}
    size = emit("fill_constant_batch_size_like", {"Input": boxes}, ones, dtype="int32")
    # An image of 1 x 1 pixel gives boxes relative to the image, as the ground truth is.
    decoded, _ = yolo_box(
        x,
        size,
        head.anchors_of(index),
        head.num_classes,
        0.0,
        head.downsample[index],
        clip_bbox=False,
    )
    decoded.stop_gradient = True
    best = paddle.max(_overlap(decoded, boxes), axis=-1)
    low = paddle.cast(best <= IGNORE_THRESHOLD, "float32")
    shape = paddle.shape(x)
    free = paddle.reshape(low, [-1, len(head.masks[index]), shape[2], shape[3]])
    free.stop_gradient = True
    return free


def _overlap(decoded: Var, boxes: Var) -> Var:
    """Intersection over union of each pair.

    Args:
        decoded: [N, M, 4] left, top, right, bottom.
        boxes: [N, B, 4] center x, y, width, height.

    Returns:
        [N, M, B]
    """
    left, top, right, bottom = (paddle.unsqueeze(decoded[:, :, i], 2) for i in range(4))
    x, y, w, h = (paddle.unsqueeze(boxes[:, :, i], 1) for i in range(4))
    across = paddle.minimum(right, x + w / 2.0) - paddle.maximum(left, x - w / 2.0)
    down = paddle.minimum(bottom, y + h / 2.0) - paddle.maximum(top, y - h / 2.0)
    both = paddle.clip(across, min=0.0) * paddle.clip(down, min=0.0)
    either = (right - left) * (bottom - top) + w * h - both
    return both / paddle.clip(either, min=1e-10)
