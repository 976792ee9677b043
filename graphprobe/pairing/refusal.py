"""Why two outputs of one kind cannot be compared number by number."""

from __future__ import annotations

from graphprobe.pairing.anchors import key_difference
from graphprobe.pairing.features import Feature
from graphprobe.pairing.rule import PairRule


def refusal(rule: PairRule, mine: Feature, other: Feature) -> str:
    """Why two features are no pair, a sentence; empty where they can be one.

    Features inside the networks are never refused: an adapter makes their shapes equal.
    """
    if rule.scope != "outputs":
        return ""
    return (
        mine.rows
        or other.rows
        or _other_anchors(mine, other)
        or _other_classes(mine, other)
        or _other_channels(mine, other)
        or _other_lengths(mine, other)
    )


def _other_anchors(mine: Feature, other: Feature) -> str:
    what = key_difference(mine.key, other.key)
    return f"{what}: offsets and scores are for each of them" if what else ""


def _other_classes(mine: Feature, other: Feature) -> str:
    if not mine.classes or not other.classes or mine.classes == other.classes:
        return ""
    return (
        f"{mine.classes} and {other.classes} classes: logits of different classes cannot be "
        f"compared"
    )


def _other_channels(mine: Feature, other: Feature) -> str:
    if mine.channels <= 0 or other.channels <= 0 or mine.channels == other.channels:
        return ""
    return (
        f"{mine.channels} and {other.channels} channels: each is a score or an offset of its "
        f"own, so no adapter can make them equal"
    )


def _other_lengths(mine: Feature, other: Feature) -> str:
    """Steps of a sequence cannot be resized; maps can."""
    ranks = len(mine.shape), len(other.shape)
    if ranks[0] != ranks[1] and 0 not in ranks:
        return f"{list(mine.shape)} and {list(other.shape)}: the shapes have other axes"
    if ranks[0] == 4:
        return ""
    for at, (a, b) in enumerate(zip(mine.shape, other.shape, strict=False)):
        if at > 0 and at != mine.channel and a > 0 and b > 0 and a != b:
            return f"{a} and {b} steps: equal steps are not about equal parts of the input"
    return ""
