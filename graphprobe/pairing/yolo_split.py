"""Heads that a program takes apart anchor by anchor: which channels are x, y, w, h, objectness.

A YOLO head of A anchors and K classes has A x (5 + K) channels; channel c is x, y, w, h,
objectness or a class score by c mod (5 + K). Whatever a program does to take these apart
(strided slices, a reshape and slices, a stack of slices), a part is known by the channels that
it holds. Parts of the targets hold no channel of a head, so they never come up.

A decoding often takes x with y and w with h, and objectness with the scores, behind a sigmoid of
all: then the head is a YOLO head too, whose single parts no value holds. A head whose channels are
computed with in unlike ways otherwise holds more than scores, whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from graphprobe.ir import Value
from graphprobe.ops.kinds import moves_only, reads_size_only
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.channel_indices import Indices, trace_channel_indices

PARTS = ("x", "y", "w", "h", "objectness", "class")


# x, y, w, h, objectness and one class.
_FEWEST = 6


class Split(NamedTuple):
    """How a program takes a head apart.

    Args:
        classes: K.
        parts: part -> the values that hold exactly its channels, in the order of the program.
    """

    classes: int
    parts: dict[str, list[Value]]


class MixedSplit(NamedTuple):
    """A head whose channels are computed with in unlike ways.

    Args:
        classes: K where x and y, and w and h, are taken from each anchor's 5 + K channels; None
            where the parts are others.
    """

    classes: int | None


def split_of(analysis: ProgramAnalysis, head: Value) -> Split | None:
    """How a [N, C, H, W] tensor is taken apart as a YOLO head; None where it is not."""
    memo: dict[int, Split | None] = analysis.memo.setdefault("splits", {})
    if head.id not in memo:
        memo[head.id] = _split(analysis, head)
    return memo[head.id]


def mixed_split_of(analysis: ProgramAnalysis, head: Value) -> MixedSplit | None:
    """How a decoding takes a [N, C, H, W] tensor apart; None where its channels are of one kind."""
    memo: dict[int, MixedSplit | None] = analysis.memo.setdefault("mixed splits", {})
    if head.id not in memo:
        memo[head.id] = _mixed_split(analysis, head)
    return memo[head.id]


def _trace(
    analysis: ProgramAnalysis, head: Value, fewest: int, activated: bool
) -> tuple[int, dict[int, Indices]] | None:
    """How many channels a map has, and which of them each value moved from it holds.

    None where it is no map or has too few of them.
    """
    shape, place = analysis.shape(head), analysis.spatial[head.id]
    if shape is None or len(shape) != 4 or place is None or place.h is None:
        return None
    axis = 1 if place.h > 1 else 3
    channels = shape[axis]
    if channels < fewest:
        return None
    return channels, trace_channel_indices(analysis, head, axis, channels, activated)


def _split(analysis: ProgramAnalysis, head: Value) -> Split | None:
    found = _trace(analysis, head, _FEWEST, activated=False)
    if found is None:
        return None
    channels, traced = found
    size = _period(traced, channels, 1)
    if size is None:
        return None
    parts: dict[str, list[Value]] = {}
    for i, numbers in traced.items():
        part = _part(numbers, size, channels // size)
        if part:
            parts.setdefault(part, []).append(analysis.flow.values[i])
    return Split(size - 5, parts) if set(PARTS[:5]) <= parts.keys() else None


def _mixed_split(analysis: ProgramAnalysis, head: Value) -> MixedSplit | None:
    found = _trace(analysis, head, 2, activated=True)
    if found is None:
        return None
    channels, traced = found
    if not _are_unlike(analysis, traced, channels):
        return None
    size = _period(traced, channels, 2)
    if size is None:
        return MixedSplit(None)
    taken = {frozenset((n % size).ravel().tolist()) for n in traced.values() if n.size < channels}
    # Objectness and scores are taken out, one or together, or stay where they are.
    scores = {frozenset(range(4, size)), frozenset((4,))}
    rest = taken & scores or frozenset().union(*taken) == frozenset(range(4))
    yolo = {frozenset((0, 1)), frozenset((2, 3))} <= taken and rest
    return MixedSplit(size - 5 if yolo else None)


def _are_unlike(analysis: ProgramAnalysis, traced: dict[int, Indices], channels: int) -> bool:
    """Whether some of the channels that are taken out are computed with by ops of their own.

    Channels that are never taken out (a background class that is left) count for nothing.
    """
    met: dict[int, set[str]] = {}
    for i, numbers in traced.items():
        if numbers.size < channels:
            types = set(_computing(analysis, analysis.flow.values[i]))
            for channel in numbers.ravel().tolist():
                met.setdefault(channel, set()).update(types)
    return len({frozenset(types) for types in met.values()}) > 1


def _computing(analysis: ProgramAnalysis, value: Value) -> Iterator[str]:
    """The types of the ops that compute with a value and do not only move it on."""
    for op in analysis.consumers(value):
        if not (moves_only(op.type) or reads_size_only(op.type)):
            yield op.type


def _period(traced: dict[int, Indices], channels: int, run: int) -> int | None:
    """5 + K: the step between the channels of a part that begins at 0.

    Args:
        traced: channel numbers by value id.
        channels: those of the head.
        run: how many the part takes of each anchor: 1 for x, 2 for x and y.
    """
    for numbers in traced.values():
        flat = np.sort(numbers.ravel())
        if not 2 * run <= flat.size < channels or flat.size % run or flat[0]:
            continue
        step = int(flat[run])
        if step < _FEWEST or channels * run != step * flat.size:
            continue
        if (flat.reshape(-1, run) == np.arange(0, channels, step)[:, None] + range(run)).all():
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
        memo[value.id] = any(True for _ in _computing(analysis, value))
    return memo[value.id]
