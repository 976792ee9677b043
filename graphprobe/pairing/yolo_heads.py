"""The heads that the YOLO ops of Paddle read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from graphprobe.ir import Op
from graphprobe.ops.kinds import computed_by, kind_of
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.anchors import anchors_of
from graphprobe.pairing.features import Feature, Key, make_feature
from graphprobe.pairing.roles import YOLO


def once(heads: Iterable[Feature]) -> list[Feature]:
    """The first feature of each value."""
    return list({head.value: head for head in reversed(list(heads))}.values())[::-1]


def yolo_heads(analysis: ProgramAnalysis, kind: Literal["loss", "decode"]) -> list[Feature]:
    """X of every op that learns from YOLOv3's anchors, or of every one that decodes with them."""
    ops = (op for op in analysis.ops if computed_by(op.type) == "yolo")
    heads = (_yolo_head(analysis, op) for op in ops if kind_of(op.type) == kind)
    return once(head for head in heads if head is not None)


def _yolo_head(analysis: ProgramAnalysis, op: Op) -> Feature | None:
    """X of a yolov3_loss or yolo_box, with its own anchors."""
    value = analysis.flow.read(op, "X")
    if value is None:
        return None
    anchors = anchors_of(op)
    classes = op.get_int("class_num")
    ratio = op.get_int("downsample_ratio")
    text = " ".join(f"{w},{h}" for w, h in anchors)
    source = f"X of {op.type} with anchors {text}" if anchors else f"X of {op.type}"
    key: Key = tuple(float(n) for pair in anchors for n in pair)
    return make_feature(
        analysis,
        value,
        YOLO,
        source,
        key=key,
        stride=(float(ratio), float(ratio)) if ratio else None,
        classes=classes or None,
    )
