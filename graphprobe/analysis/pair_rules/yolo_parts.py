"""The parts of a YOLO head that a loss spelled out in the program reads one by one.

A head of A anchors and K classes has A x (5 + K) channels; channel c of an anchor is x, y, w, h,
objectness or a class score by c mod (5 + K). Whatever a program does to take these apart (strided
slices, a reshape, a stack of slices), the parts are known by the channels that they hold. Parts
of the targets hold no channel of the head, so they never come up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from graphprobe.analysis._contents import Numbers, contents_of
from graphprobe.analysis._features import Feature, in_order, make_feature
from graphprobe.analysis._heads import YOLO, yolo_heads
from graphprobe.analysis._rule import PairRule
from graphprobe.analysis._view import View
from graphprobe.ir import Value
from graphprobe.ops._kinds import SIZE_ONLY

PARTS = ("x", "y", "w", "h", "objectness", "class")


def _find(view: View, _: View) -> list[Feature]:
    heads = yolo_heads(view, "yolov3_loss") or yolo_heads(view, "yolo_box") or _sliced(view)
    whole = [
        parts for head in in_order(heads) if len(parts := list(_parts(view, head))) == len(PARTS)
    ]
    return [
        replace(part, part=f"{scale}.{part.part}")
        for scale, parts in enumerate(whole)
        for part in parts
    ]


def _sliced(view: View) -> list[Feature]:
    """Heads that no YOLO op reads: five or more channels of each anchor are sliced off."""
    found: dict[int, Feature] = {}
    for op in view.ops:
        value = view.flow.read(op, "Input") if op.type == "strided_slice" else None
        if value is None or value.id in found:
            continue
        steps = [_channel_step(view, value, other.id) for other in view.consumers(value)]
        size = max(steps, default=0)
        if size >= 6 and steps.count(size) >= 5:
            source = f"read at every {size}th channel"
            found[value.id] = make_feature(view, value, YOLO, source, classes=size - 5)
    return list(found.values())


def _channel_step(view: View, value: Value, op_id: int) -> int:
    """The step of a strided slice along the channels; 0 for any other op."""
    op = view.program.ops[op_id]
    if op.type != "strided_slice" or op.get_ints("axes") != (1,) or not view.network[value.id]:
        return 0
    return op.get_int("strides") or (op.get_ints("strides") or (0,))[0]


def _parts(view: View, head: Feature) -> Iterator[Feature]:
    """The six parts of one head, in order; fewer where the program does not take it apart."""
    size = 5 + (head.classes or 0)
    if size < 6 or head.channels <= 0 or head.channels % size:
        return
    value = view.flow.values[head.value]
    held = contents_of(view, value, head.channel, head.channels)
    found: dict[str, Value] = {}
    for i, numbers in held.items():
        part = _part(numbers, size, head.channels // size)
        if part and _is_used(view, view.flow.values[i], held):
            found.setdefault(part, view.flow.values[i])
    for part in PARTS:
        if part in found:
            yield make_feature(
                view,
                found[part],
                YOLO,
                head.source.replace("X of", f"{part} channels of X of"),
                key=head.key,
                part=part,
                stride=head.stride,
                classes=head.classes,
            )


def _part(numbers: Numbers, size: int, anchors: int) -> str:
    """Which part the channels make up, over all anchors; empty for anything else."""
    kinds = set((numbers % size).ravel().tolist())
    if len(kinds) == 1 and numbers.size == anchors and min(kinds) < 5:
        return PARTS[min(kinds)]
    whole = numbers.size == anchors * (size - 5) and kinds == set(range(5, size))
    return "class" if whole else ""


def _is_used(view: View, value: Value, held: dict[int, Numbers]) -> bool:
    """Whether some op does more with it than move it on."""
    return any(
        op.type not in SIZE_ONLY and not any(v.id in held for v in view.flow.writes(op))
        for op in view.consumers(value)
    )


def _loss_of(_: str) -> tuple[str, float]:
    return "yolo_fine_grained", 1000.0


RULE = PairRule(
    name="yolo_parts",
    level=60,
    about="x, y, w, h, objectness and class of each YOLO head that the program takes apart",
    find=_find,
    loss_of=_loss_of,
    parts=PARTS,
)
