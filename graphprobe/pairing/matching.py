"""Match the features of two programs by role, then stride, then anchors; never by name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from graphprobe.ir import Adapter, Pair
from graphprobe.pairing.analysis import Stride
from graphprobe.pairing.features import Feature, coarsest_first, role_text, stride_text
from graphprobe.pairing.rule import PairRule


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that did not become a pair.

    Args:
        student: the student's variable, or None where the teacher's has no counterpart.
        teacher: the teacher's variable, or None likewise.
        role: what it would have been.
        rule: the rule that looked at it.
        reason: why not.
    """

    student: str | None
    teacher: str | None
    role: str
    rule: str
    reason: str


@dataclass(slots=True)
class Matches:
    """What one rule came to."""

    pairs: list[Pair] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A student and a teacher feature that go together, and out of how many."""

    student: Feature
    teacher: Feature
    candidates: int
    among: str


def match(rule: PairRule, students: Sequence[Feature], teachers: Sequence[Feature]) -> Matches:
    """Pair the features of one rule.

    Args:
        rule: tells the loss and whether channels may be adapted.
        students: the student's features, in the order that the pairs shall have.
        teachers: the teacher's.
    """
    out = Matches()
    ours, theirs = _by_role(students), _by_role(teachers)
    for role in sorted(ours.keys() | theirs.keys()):
        for choice in _choose(rule, ours.get(role, []), theirs.get(role, []), out):
            _decide(rule, choice, out)
    _drop_incomplete_groups(rule, out)
    rank = {feature.name: i for i, feature in reversed(list(enumerate(students)))}
    out.pairs.sort(key=lambda pair: rank[pair.student])
    return out


def _drop_incomplete_groups(rule: PairRule, out: Matches) -> None:
    """Reject what is left of a group where another of its parts is no pair."""
    if not rule.parts:
        return
    counts = Counter(pair.part.rpartition(".")[0] for pair in out.pairs)
    torn = [p for p in out.pairs if counts[p.part.rpartition(".")[0]] < len(rule.parts)]
    out.pairs = [pair for pair in out.pairs if pair not in torn]
    reason = "another part of it is no pair"
    out.rejected += [Rejected(p.student, p.teacher, p.role, rule.name, reason) for p in torn]


def _by_role(features: Iterable[Feature]) -> dict[tuple[str, str], list[Feature]]:
    groups: dict[tuple[str, str], list[Feature]] = defaultdict(list)
    for feature in features:
        groups[feature.kind, feature.part.rpartition(".")[2]].append(feature)
    return groups


def _choose(
    rule: PairRule, ours: list[Feature], theirs: list[Feature], out: Matches
) -> list[_Choice]:
    """Within one role: level by level; what has no counterpart is rejected."""
    if len(ours) == len(theirs) == 1:
        return [_Choice(ours[0], theirs[0], 1, "of this kind")]
    choices: list[_Choice] = []
    strides = {_level(f) for f in (*ours, *theirs)}
    for stride in sorted(strides, key=coarsest_first):
        mine = [f for f in ours if _level(f) == stride]
        others = [f for f in theirs if _level(f) == stride]
        choices += _choose_level(rule, mine, others, out)
    return choices


def _level(feature: Feature) -> Stride | None:
    """Strides as they are compared: 31.9 is 32."""
    if feature.stride is None:
        return None
    return round(feature.stride[0], 1), round(feature.stride[1], 1)


def _choose_level(
    rule: PairRule, ours: list[Feature], theirs: list[Feature], out: Matches
) -> list[_Choice]:
    """Features of one role and stride: equal anchors first, then in order of depth."""
    candidates = max(len(ours), len(theirs))
    left_ours, left_theirs = sorted(ours, key=_order), sorted(theirs, key=_order)
    choices: list[_Choice] = []
    for mine in list(left_ours):
        same = [f for f in left_theirs if f.key == mine.key and f.channels == mine.channels]
        if len(same) == 1 and candidates > 1:
            choices.append(_Choice(mine, same[0], 1, "with these channels and anchors"))
            left_ours.remove(mine)
            left_theirs.remove(same[0])
    for mine, other in zip_longest(left_ours, left_theirs):
        if mine is not None and other is not None:
            choices.append(_Choice(mine, other, candidates, "at this stride"))
        else:
            _reject_unmatched(rule, mine, other, out)
    return choices


def _order(feature: Feature) -> tuple[object, ...]:
    return (feature.key, feature.depth, feature.shape)


def _reject_unmatched(
    rule: PairRule, mine: Feature | None, other: Feature | None, out: Matches
) -> None:
    feature = mine or other
    if feature is None:
        return
    side = "teacher" if mine is not None else "student"
    where = stride_text(feature.stride)
    reason = f"the {side} has no {feature.kind}" + (f" at {where}" if where else " left for it")
    out.rejected.append(
        Rejected(
            mine.name if mine else None,
            other.name if other else None,
            role_text(feature.kind, feature.stride, feature.part),
            rule.name,
            reason,
        )
    )


def _decide(rule: PairRule, choice: _Choice, out: Matches) -> None:
    """Make a pair of a choice, or say why it cannot be one."""
    mine, other = choice.student, choice.teacher
    role = role_text(mine.kind, mine.stride, mine.part)
    reason = _refusal(rule, mine, other)
    if reason:
        out.rejected.append(Rejected(mine.name, other.name, role, rule.name, reason))
        _refuse(mine.kind, reason, out)
        return
    adapter = _adapter(mine, other)
    loss, weight = rule.loss_of(mine.kind)
    if choice.candidates > 1:
        out.warnings.append(
            f"{role}: {choice.candidates} candidates; {mine.name} and {other.name} were matched "
            f"by their order in depth"
        )
    out.pairs.append(
        Pair(
            student=mine.name,
            teacher=other.name,
            student_shape=mine.shape,
            teacher_shape=other.shape,
            role=role,
            loss=loss,
            weight=weight,
            score=_score(rule, choice, adapter),
            rule=rule.name,
            evidence=_evidence(choice, adapter),
            adapter=adapter,
            part=mine.part,
            stride=_whole_stride(mine),
        )
    )


def _whole_stride(feature: Feature) -> int | None:
    h, w = feature.stride or (0.0, 0.0)
    return round(h) if h == w and h >= 1 and abs(h - round(h)) < 0.01 else None


def _refuse(kind: str, reason: str, out: Matches) -> None:
    """One warning for each kind and reason, however many strides it is about."""
    text = (
        f"the {kind}s are no pairs: {reason}"
        if kind[-1] != "s"
        else f"the {kind} are no pair: {reason}"
    )
    if text not in out.warnings:
        out.warnings.append(text)


def _refusal(rule: PairRule, mine: Feature, other: Feature) -> str:
    """Why two logits cannot be compared; empty where they can."""
    if rule.scope != "outputs":
        return ""
    if mine.classes and other.classes and mine.classes != other.classes:
        return (
            f"{mine.classes} and {other.classes} classes: logits of different classes cannot be "
            f"compared"
        )
    if mine.channels > 0 and other.channels > 0 and mine.channels != other.channels:
        return (
            f"{mine.channels} and {other.channels} channels: each is a score or an offset of its "
            f"own, so no adapter can make them equal"
        )
    return ""


def _adapter(mine: Feature, other: Feature) -> Adapter | None:
    channels = (mine.channels, other.channels)
    differ = min(channels) > 0 and channels[0] != channels[1]
    resize = _level(mine) != _level(other) and None not in (mine.stride, other.stride)
    if not differ and not resize:
        return None
    parameters = channels[0] * channels[1] + channels[1] if differ else 0
    return Adapter(channels[0], channels[1], resize, parameters)


def _score(rule: PairRule, choice: _Choice, adapter: Adapter | None) -> float:
    """The product that docs/scores.md defines."""
    mine, other = choice.student, choice.teacher
    score = rule.base_score
    if len(mine.shape) == 4 and None in (mine.stride, other.stride):
        score *= 0.7
    if mine.key != other.key:
        score *= 0.9
    if choice.candidates > 1:
        score *= 0.8
    if adapter is not None:
        score *= (0.9 if adapter.parameters else 1.0) * (0.9 if adapter.resize else 1.0)
    return round(score, 4)


def _evidence(choice: _Choice, adapter: Adapter | None) -> tuple[str, ...]:
    mine, other = choice.student, choice.teacher
    lines = [mine.source] if mine.source == other.source else _both(mine.source, other.source)
    ours, theirs = stride_text(mine.stride), stride_text(other.stride)
    if ours == theirs:
        lines += [ours] if ours else []
    else:
        lines += _both(ours or "stride unknown", theirs or "stride unknown")
    lines.append(_shape_text(mine, other, adapter))
    if choice.candidates == 1:
        lines.append(f"no other candidate {choice.among}")
    else:
        lines.append(f"one of {choice.candidates} candidates, by order in depth")
    return tuple(lines)


def _both(ours: str, theirs: str) -> list[str]:
    return [f"student: {ours}", f"teacher: {theirs}"]


def _shape_text(mine: Feature, other: Feature, adapter: Adapter | None) -> str:
    if adapter is None:
        return "equal shape" if mine.shape == other.shape else "equal channels and stride"
    parts = []
    if adapter.parameters:
        parts.append(
            f"{adapter.in_channels} channels brought to {adapter.out_channels} by a 1x1 "
            f"convolution of {adapter.parameters} parameters"
        )
    if adapter.resize:
        parts.append("resized to the teacher's height and width")
    return ", ".join(parts)
