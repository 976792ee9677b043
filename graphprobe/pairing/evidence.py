"""The score of a pair, why it is one, and what makes its shapes equal."""

from __future__ import annotations

from typing import NamedTuple

from graphprobe.ir import Adapter
from graphprobe.pairing.features import Feature, level_of, stride_text
from graphprobe.pairing.rule import PairRule


class Choice(NamedTuple):
    """A student and a teacher feature that go together.

    Args:
        student: the student's.
        teacher: the teacher's.
        candidates: out of how many they were chosen.
        among: what the candidates have in common.
        how: what decided, where there were several.
    """

    student: Feature
    teacher: Feature
    candidates: int
    among: str
    how: str = "by order in depth"


def adapter_of(mine: Feature, other: Feature) -> Adapter | None:
    """What brings the student's feature to the teacher's channels and size; None if nothing."""
    channels = (mine.channels, other.channels)
    differ = min(channels) > 0 and channels[0] != channels[1]
    resize = _sizes_differ(mine, other)
    if not differ and not resize:
        return None
    parameters = channels[0] * channels[1] + channels[1] if differ else 0
    return Adapter(channels[0], channels[1], resize, parameters)


def _sizes_differ(mine: Feature, other: Feature) -> bool:
    """Whether two maps differ in stride, or in H and W where the programs fix them."""
    if level_of(mine) != level_of(other) and None not in (mine.stride, other.stride):
        return True
    sizes = _size(mine), _size(other)
    return "" not in sizes and sizes[0] != sizes[1]


def _size(feature: Feature) -> str:
    """H and W of a map, as ``40x40``; empty where they are unknown or there are none."""
    if len(feature.shape) != 4:
        return ""
    sizes = [n for axis, n in enumerate(feature.shape) if axis not in (0, feature.channel)]
    return "x".join(str(n) for n in sizes) if min(sizes) > 0 else ""


def score(rule: PairRule, choice: Choice, adapter: Adapter | None) -> float:
    """The product that docs/scores.md defines."""
    mine, other = choice.student, choice.teacher
    product = rule.base_score
    if len(mine.shape) == 4 and None in (mine.stride, other.stride):
        product *= 0.7
    if mine.key != other.key:
        product *= 0.9
    if choice.candidates > 1:
        product *= 0.8
    if mine.doubt or other.doubt:
        product *= 0.8
    if adapter is not None:
        product *= (0.9 if adapter.parameters else 1.0) * (0.9 if adapter.resize else 1.0)
    return round(product, 4)


def evidence(choice: Choice, adapter: Adapter | None) -> tuple[str, ...]:
    """Why two features are a pair, and what is in doubt, a few words each."""
    mine, other = choice.student, choice.teacher
    lines = _either(mine.source, other.source)
    lines += _either(mine.use, other.use)
    lines += _strides(mine, other)
    lines.append(_shapes(mine, other, adapter))
    if choice.candidates == 1:
        lines.append(f"no other candidate {choice.among}")
    else:
        lines.append(f"one of {choice.candidates} candidates, {choice.how}")
    if mine.key != other.key:
        lines.append("in doubt: only one of the programs states its anchors")
    doubts = dict.fromkeys(text for text in (mine.doubt, other.doubt) if text)
    lines += [f"in doubt: {text}" for text in doubts]
    return tuple(lines)


def _strides(mine: Feature, other: Feature) -> list[str]:
    ours, theirs = stride_text(mine.stride), stride_text(other.stride)
    if len(mine.shape) == 4 and not ours and not theirs and 1 not in mine.shape[2:]:
        return ["in doubt: stride unknown"]
    return _either(ours, theirs, "stride unknown")


def _either(ours: str, theirs: str, missing: str = "") -> list[str]:
    """One line where both sides have the same, else one a side."""
    if ours == theirs:
        return [ours] if ours else []
    sides = {"student": ours or missing, "teacher": theirs or missing}
    return [f"{side}: {text}" for side, text in sides.items() if text]


def _shapes(mine: Feature, other: Feature, adapter: Adapter | None) -> str:
    if adapter is None:
        return "equal shape" if mine.shape == other.shape else "equal channels and stride"
    parts = []
    if adapter.parameters:
        parts.append(
            f"{adapter.in_channels} channels brought to {adapter.out_channels} by a 1x1 "
            f"convolution of {adapter.parameters} parameters"
        )
    if adapter.resize:
        sizes = _size(mine), _size(other)
        known = f" ({sizes[0]} to {sizes[1]})" if all(sizes) else ""
        parts.append(f"resized to the teacher's height and width{known}")
    return ", ".join(parts)
