"""Match the features of two programs by role, then stride, then anchors; never by name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from graphprobe.ir import Pair
from graphprobe.pairing.evidence import Choice, adapter_of, evidence, score
from graphprobe.pairing.features import Feature, coarsest_first, level_of, role_text, stride_text
from graphprobe.pairing.reconcile import reconcile
from graphprobe.pairing.refusal import refusal
from graphprobe.pairing.rule import PairRule


class Rejected(NamedTuple):
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
    """What one rule came to.

    Args:
        pairs: in the order of the student's features.
        rejected: candidates that are no pair.
        warnings: what is ambiguous or cannot be compared.
        refused: sort of reason -> the first reason in full, and the kinds that it is about.
    """

    pairs: list[Pair] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: dict[str, tuple[str, list[str]]] = field(default_factory=dict)


def match(rule: PairRule, students: Sequence[Feature], teachers: Sequence[Feature]) -> Matches:
    """Pair the features of one rule.

    Args:
        rule: decides the loss and whether channels may be adapted.
        students: the student's features, in the order that the pairs shall have.
        teachers: the teacher's.
    """
    out = Matches()
    students, teachers = reconcile(students, teachers)
    ours, theirs = _by_role(students), _by_role(teachers)
    for role in sorted(ours.keys() | theirs.keys()):
        for choice in _choose(rule, ours.get(role, []), theirs.get(role, []), out):
            _decide(rule, choice, out)
    out.warnings += [_refusal_text(reason, kinds) for reason, kinds in out.refused.values()]
    _drop_incomplete_groups(rule, out)
    rank = {feature.name: i for i, feature in reversed(list(enumerate(students)))}
    out.pairs.sort(key=lambda pair: rank[pair.student])
    return out


def _drop_incomplete_groups(rule: PairRule, out: Matches) -> None:
    """Reject what is left of a group where another of its parts is no pair."""
    if not rule.parts:
        return
    counts = Counter(pair.part.rpartition(".")[0] for pair in out.pairs)
    dropped = [p for p in out.pairs if counts[p.part.rpartition(".")[0]] < len(rule.parts)]
    out.pairs = [pair for pair in out.pairs if pair not in dropped]
    reason = "another part of it is no pair"
    out.rejected += [Rejected(p.student, p.teacher, p.role, rule.name, reason) for p in dropped]


def _by_role(features: Iterable[Feature]) -> dict[tuple[str, str], list[Feature]]:
    groups: dict[tuple[str, str], list[Feature]] = defaultdict(list)
    for feature in features:
        groups[feature.kind, feature.part.rpartition(".")[2]].append(feature)
    return groups


def _choose(
    rule: PairRule, ours: list[Feature], theirs: list[Feature], out: Matches
) -> list[Choice]:
    """Within one role: level by level; what has no counterpart is rejected."""
    if len(ours) == len(theirs) == 1:
        return [Choice(ours[0], theirs[0], 1, "of this kind")]
    choices: list[Choice] = []
    strides = {level_of(f) for f in (*ours, *theirs)}
    for stride in sorted(strides, key=coarsest_first):
        mine = [f for f in ours if level_of(f) == stride]
        others = [f for f in theirs if level_of(f) == stride]
        choices += _choose_level(rule, mine, others, out)
    return choices


def _choose_level(
    rule: PairRule, ours: list[Feature], theirs: list[Feature], out: Matches
) -> list[Choice]:
    """Features of one role and stride: equal anchors and use first, then in order.

    The order is that of the outputs of the programs, else that of the depth. Where one side has
    more, its auxiliary heads are left over: they come after the first output, and stand closer to
    the input than the head that counts.
    """
    candidates = max(len(ours), len(theirs))
    choices: list[Choice] = []
    if candidates > 1:
        for use in (False, True):
            found = _unique(ours, theirs, use=use)
            taken = {c.student.value for c in found}, {c.teacher.value for c in found}
            ours = [f for f in ours if f.value not in taken[0]]
            theirs = [f for f in theirs if f.value not in taken[1]]
            choices += found
    by_output = all(len({f.order for f in side}) == len(side) for side in (ours, theirs))
    deepest_first = not by_output and len(ours) != len(theirs)
    left_ours = sorted(ours, key=lambda f: _order(f, deepest_first))
    left_theirs = sorted(theirs, key=lambda f: _order(f, deepest_first))
    how = "by the order of the outputs" if by_output else "by order in depth"
    for mine, other in zip_longest(left_ours, left_theirs):
        if mine is not None and other is not None:
            choices.append(Choice(mine, other, candidates, "at this stride", how))
        else:
            _reject_unmatched(rule, mine, other, out)
    return choices


def _unique(ours: list[Feature], theirs: list[Feature], *, use: bool) -> list[Choice]:
    """Features that one property alone sets apart on both sides: anchors and channels, or use."""
    mine, others = (
        _grouped((f.key, f.channels, f.readers if use else ()) for f in side)
        for side in (ours, theirs)
    )
    choices = []
    for what, (i, *more) in mine.items():
        if more or len(others.get(what, ())) != 1:
            continue
        student, teacher = ours[i], theirs[others[what][0]]
        anchors = " and anchors" if student.key else ""
        used = " and this use" if use else ""
        choices.append(Choice(student, teacher, 1, f"with these channels{anchors}{used}"))
    return choices


def _grouped(keys: Iterable[tuple[object, ...]]) -> dict[tuple[object, ...], list[int]]:
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, key in enumerate(keys):
        groups[key].append(i)
    return groups


def _order(feature: Feature, deepest_first: bool) -> tuple[object, ...]:
    depth = -feature.depth if deepest_first else feature.depth
    return (feature.key, feature.order, depth, feature.shape)


def _reject_unmatched(
    rule: PairRule, mine: Feature | None, other: Feature | None, out: Matches
) -> None:
    feature = mine or other
    if feature is None:
        return
    side = "teacher" if mine is not None else "student"
    where = stride_text(feature.stride)
    reason = feature.rows or (
        f"the {side} has no {feature.kind}" + (f" at {where}" if where else " left for it")
    )
    out.rejected.append(
        Rejected(
            mine.name if mine else None,
            other.name if other else None,
            role_text(feature.kind, feature.stride, feature.part),
            rule.name,
            reason,
        )
    )


def _decide(rule: PairRule, choice: Choice, out: Matches) -> None:
    """Make a pair of a choice, or report why it cannot be one."""
    mine, other = choice.student, choice.teacher
    role = role_text(mine.kind, mine.stride, mine.part)
    reason = refusal(rule, mine, other)
    if reason:
        out.rejected.append(Rejected(mine.name, other.name, role, rule.name, reason))
        _refuse(mine.kind, reason, out)
        return
    adapter = adapter_of(mine, other)
    loss, weight = rule.loss_of(mine)
    if choice.candidates > 1:
        out.warnings.append(
            f"{role}: {choice.candidates} candidates; {mine.name} and {other.name} were matched "
            f"{choice.how.replace('by order', 'by their order')}"
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
            score=score(rule, choice, adapter),
            rule=rule.name,
            evidence=evidence(choice, adapter),
            adapter=adapter,
            part=mine.part,
            stride=_whole_stride(mine),
        )
    )


def _whole_stride(feature: Feature) -> int | None:
    h, w = feature.stride or (0.0, 0.0)
    return round(h) if h == w and h >= 1 and abs(h - round(h)) < 0.01 else None


def _refuse(kind: str, reason: str, out: Matches) -> None:
    """One warning for each sort of reason, however many strides and kinds it is about."""
    _, kinds = out.refused.setdefault(reason.partition(" (")[0], (reason, []))
    if kind not in kinds:
        kinds.append(kind)


def _refusal_text(reason: str, kinds: list[str]) -> str:
    plural = [kind if kind[-1] == "s" else f"{kind}s" for kind in kinds]
    return f"the {' and the '.join(plural)} are no pairs: {reason}"
