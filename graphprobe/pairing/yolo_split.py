"""Heads that a program takes apart anchor by anchor: which channels are x, y, w, h, objectness.

A YOLO head of A anchors and K classes has A x (5 + K) channels; channel c is x, y, w, h,
objectness or a class score by c mod (5 + K). Whatever a program does to take these apart
(strided slices, a reshape and slices, a stack of slices), a part is known by the channels that
it holds. Parts of the targets hold no channel of a head, so they never come up.
"""

from __future__ import annotations

from typing import NamedTuple

from graphprobe.ir import Value
from graphprobe.ops.kinds import moves_only, reads_size_only
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.channel_indices import Indices, trace_channel_indices

PARTS = ("x", "y", "w", "h", "objectness", "class")


class Split(NamedTuple):
    """How a program takes a head apart.

    Args:
        classes: K.
        parts: part -> the values that hold exactly its channels, in the order of the program.
    """

    classes: int
    parts: dict[str, list[Value]]


def split_of(analysis: ProgramAnalysis, head: Value) -> Split | None:
    """How a [N, C, H, W] tensor is taken apart as a YOLO head; None where it is not."""
    memo: dict[int, Split | None] = analysis.memo.setdefault("splits", {})
    if head.id not in memo:
        memo[head.id] = _split(analysis, head)
    return memo[head.id]


def _split(analysis: ProgramAnalysis, head: Value) -> Split | None:
    shape, place = analysis.shape(head), analysis.spatial[head.id]
    if shape is None or len(shape) != 4 or place is None or place.h is None:
        return None
    axis = 1 if place.h > 1 else 3
    if shape[axis] < 6:
        return None
    traced = trace_channel_indices(analysis, head, axis, shape[axis])
    size = _period(traced, shape[axis])
    if size is None:
        return None
    parts: dict[str, list[Value]] = {}
    for i, numbers in traced.items():
        part = _part(numbers, size, shape[axis] // size)
        if part:
            parts.setdefault(part, []).append(analysis.flow.values[i])
    return Split(size - 5, parts) if set(PARTS[:5]) <= parts.keys() else None


def _period(traced: dict[int, Indices], channels: int) -> int | None:
    """5 + K: the step between the channels of the x part, which begin at 0."""
    for numbers in traced.values():
        flat = numbers.ravel()
        if 2 <= flat.size < channels and flat[0] == 0:
            step = int(flat[1])
            whole = step >= 6 and channels == step * flat.size
            if whole and (flat == range(0, channels, step)).all():
                return step
    return None


def _part(numbers: Indices, size: int, anchors: int) -> str:
    """Which part the channels make up, over all anchors; empty for anything else."""
    kinds = set((numbers % size).ravel().tolist())
    if len(kinds) == 1 and numbers.size == anchors and min(kinds) < 5:
        return PARTS[min(kinds)]
    whole = numbers.size == anchors * (size - 5) and kinds == set(range(5, size))
    return "class" if whole else ""


def chosen(analysis: ProgramAnalysis, split: Split) -> dict[str, Value]:
    """One value a part: one that the program computes with, of the shape that x has."""
    found: dict[str, Value] = {}
    for part in PARTS:
        values = split.parts.get(part, [])
        like = analysis.shape(found["x"]) if "x" in found else None
        # A later value is as good as an earlier one only where it is what the loss reads.
        ranked = sorted(
            values, key=lambda v: (not _fits(analysis, v, like, part), not _used(analysis, v))
        )
        if ranked:
            found[part] = ranked[0]
    return found


def _fits(analysis: ProgramAnalysis, value: Value, like: tuple[int, ...] | None, part: str) -> bool:
    """Whether a part can be multiplied with x, the class scores last."""
    shape = analysis.shape(value)
    if like is None or shape is None:
        return like is None
    if part == "class":
        return shape[:-1] in (like, like[:-1])
    return shape == like


def _used(analysis: ProgramAnalysis, value: Value) -> bool:
    """Whether some op computes with it and does not only move it on."""
    memo: dict[int, bool] = analysis.memo.setdefault("used", {})
    if value.id not in memo:
        memo[value.id] = any(
            not moves_only(op.type) and not reads_size_only(op.type)
            for op in analysis.consumers(value)
        )
    return memo[value.id]
