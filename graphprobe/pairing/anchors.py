"""The anchors and prior boxes that the channels of a head stand for."""

from __future__ import annotations

from graphprobe.ir import Attr, Op, Value
from graphprobe.ops.facets import Boxes
from graphprobe.ops.kinds import prior_boxes
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Key

# How far a head may stand behind the map that its priors are made of.
_STEPS = 40


def anchors_of(op: Op) -> tuple[tuple[int, int], ...]:
    """The anchors (w, h) that a YOLO op itself uses; a mask picks them from all."""
    flat = op.get_ints("anchors")
    every = tuple(zip(flat[::2], flat[1::2], strict=False))
    mask = op.get_ints("anchor_mask")
    return tuple(every[i] for i in mask if 0 <= i < len(every)) if mask else every


def prior_key(analysis: ProgramAnalysis, head: Value) -> Key:
    """The prior boxes of a head, as words; empty where the program makes none of its map.

    The op that makes them reads the same feature map as the layer that makes the head.
    """
    makers = _makers(analysis)
    if not makers:
        return ()
    queue, seen = [head], {head.id}
    for value in queue:
        if value.id in makers:
            return makers[value.id]
        op = analysis.producer(value)
        for before in analysis.reads(op) if op is not None else ():
            if before.id not in seen and len(queue) < _STEPS:
                seen.add(before.id)
                queue.append(before)
    return ()


def _makers(analysis: ProgramAnalysis) -> dict[int, Key]:
    """Ids of the feature maps that prior boxes are made of -> their key."""
    if "priors" not in analysis.memo:
        found: dict[int, Key] = {}
        for op in analysis.ops:
            boxes = prior_boxes(op.type)
            value = analysis.flow.read(op, "Input") if boxes is not None else None
            if boxes is not None and value is not None:
                found[value.id] = _key(op, boxes)
        analysis.memo["priors"] = found
    makers: dict[int, Key] = analysis.memo["priors"]
    return makers


def _key(op: Op, boxes: Boxes) -> Key:
    return tuple(f"{n} {_text(op.attrs[n])}" for n in boxes.attributes if n in op.attrs)


def _text(value: Attr) -> str:
    if isinstance(value, tuple):
        return " ".join(_text(item) for item in value) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def key_difference(ours: Key, theirs: Key) -> str:
    """Why heads with these anchors cannot be compared, in words; empty where they can.

    Where only one of the programs states its anchors nothing is reported.
    """
    if not ours or not theirs or ours == theirs:
        return ""
    if all(isinstance(item, str) for item in (*ours, *theirs)):
        names = {str(item).partition(" ")[0] for item in set(ours) ^ set(theirs)}
        first = next(n for n in (str(i).partition(" ")[0] for i in (*ours, *theirs)) if n in names)
        mine, other = (_value(key, first) for key in (ours, theirs))
        rest = f" and {len(names) - 1} more attributes" if len(names) > 1 else ""
        return f"the prior boxes differ ({first} {mine} and {other}{rest})"
    return f"the anchors differ ({_pairs(ours)} and {_pairs(theirs)})"


def _value(key: Key, name: str) -> str:
    found = (str(item).partition(" ")[2] for item in key if str(item).partition(" ")[0] == name)
    return next(found, "not set")


def _pairs(key: Key) -> str:
    numbers = [f"{item:g}" if isinstance(item, float) else str(item) for item in key]
    return " ".join(f"{w},{h}" for w, h in zip(numbers[::2], numbers[1::2], strict=False))
