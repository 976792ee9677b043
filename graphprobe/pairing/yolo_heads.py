"""The heads that the YOLO ops of Paddle read."""

from __future__ import annotations

from collections.abc import Iterable

from graphprobe.ir import Op
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.anchors import anchors_of
from graphprobe.pairing.features import Feature, Key, make_feature
from graphprobe.pairing.roles import YOLO


def once(heads: Iterable[Feature]) -> list[Feature]:
    """The first feature of each value."""
    return list({head.value: head for head in reversed(list(heads))}.values())[::-1]


def yolo_heads(analysis: ProgramAnalysis, type: str) -> list[Feature]:
    """X of every yolov3_loss or every yolo_box."""
    heads = (_yolo_head(analysis, op) for op in analysis.ops if op.type == type)
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
