"""What is cut together, as slices of parameters: one `Part` for channels that are ranked together.

Channels of one group of convolutions that lie in the same parameters form a part: its units
(a unit is a channel with everything that goes with it) are numbered from 0, and each `Cut` says
where the units lie along one axis of some parameters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from graphprobe.analysis._prune_classes import Classes
from graphprobe.analysis.channels import Channels
from graphprobe.analysis.prune import PruneFindings
from graphprobe.ir import PruneDecision
from graphprobe.ops._layout import Layout

Role: TypeAlias = Literal["out", "in", "each"]
# Where one class lies: (parameter, axis, size of the axis, width of a unit, role, first position).
_Place: TypeAlias = tuple[str, int, int, int, Role, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the units of a part lie along one axis of some parameters.

    Args:
        params: parameters with the same places.
        axis: the axis.
        size: its size.
        role: ``out``, ``in`` or ``each``, as `graphprobe.ops._spec.Bind` has it.
        width: positions a unit takes.
        stretches: (first position, length) in the order of the units.
    """

    params: tuple[str, ...]
    axis: int
    size: int
    role: Role
    width: int
    stretches: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Count:
    """An integer of an attribute that goes down by `each` for every unit that is cut.

    Args:
        op: id of the op.
        attr: the attribute.
        index: which entry of a list; None where it is one integer.
        each: what a unit counts.
        value: the attribute before the cut.
        param: a parameter that the op alone reads, or None.
    """

    op: int
    attr: str
    index: int | None
    each: int
    value: int | tuple[int, ...]
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Units that are ranked together: `channels` of them."""

    channels: int
    cuts: tuple[Cut, ...]
    counts: tuple[Count, ...] = ()


@dataclass(frozen=True, slots=True)
class PruneGroup:
    """Convolutions whose channels go together.

    Args:
        number: as in the decisions.
        leader: the convolution by whose filter channels are ranked.
        convs: every convolution of the group, the leader first.
        parts: what can be cut.
    """

    number: int
    leader: PruneDecision
    convs: tuple[PruneDecision, ...]
    parts: tuple[Part, ...]


def prune_groups(found: PruneFindings) -> tuple[PruneGroup, ...]:
    """The groups that can be cut, in program order of their leaders."""
    places, counts, lengths = _places(found)
    members: dict[int, list[PruneDecision]] = defaultdict(list)
    for decision in found.decisions:
        members[decision.group].append(decision)
    out_axis = {op: axis for op, _, axis in found.channels.convs}
    groups = []
    for leader in found.prunable:
        convs = [leader, *(d for d in members[leader.group] if d is not leader)]
        classes = _classes_of(found, [d for d in convs if _takes_part(d)], out_axis)
        parts = _parts(classes, places, counts, lengths)
        groups.append(PruneGroup(leader.group, leader, tuple(convs), parts))
    return tuple(groups)


def _takes_part(decision: PruneDecision) -> bool:
    return decision.status != "blocked" or decision.reason == "depthwise"


def _classes_of(
    found: PruneFindings, convs: list[PruneDecision], out_axis: dict[int, int]
) -> list[int]:
    classes: dict[int, None] = {}
    for conv in convs:
        bound = found.channels.bound.get((conv.param, out_axis[conv.op]))
        if bound is not None:
            for run in bound.layout.runs:
                for piece in found.classes.pieces(run):
                    if piece.cls not in found.blocked:
                        classes[piece.cls] = None
    return list(classes)


def _places(
    found: PruneFindings,
) -> tuple[dict[int, list[_Place]], dict[int, list[Count]], dict[int, int]]:
    """Where each class lies, what counts it, and how many channels it has."""
    places: dict[int, list[_Place]] = defaultdict(list)
    counts: dict[int, list[Count]] = defaultdict(list)
    lengths: dict[int, int] = {}
    channels, classes = found.channels, found.classes
    for (param, axis), bound in channels.bound.items():
        for cls, first, length in _pieces(classes, bound.layout):
            lengths[cls] = length
            for repeat in range(bound.layout.outer):
                at = first + repeat * bound.layout.size * bound.layout.inner
                row = (param, axis, bound.layout.extent, bound.layout.inner, bound.role, at)
                places[cls].append(row)
    for cls, count in _counted(channels, classes):
        counts[cls].append(count)
    return places, counts, lengths


def _pieces(classes: Classes, layout: Layout) -> list[tuple[int, int, int]]:
    """(class, first position, channels) for each piece of a layout's first repetition."""
    found = []
    at = 0
    for run in layout.runs:
        for piece in classes.pieces(run):
            found.append((piece.cls, at * layout.inner, piece.run.length))
            at += piece.run.length
    return found


def _counted(channels: Channels, classes: Classes) -> Iterator[tuple[int, Count]]:
    """Each class that an attribute counts, with what one of its channels counts."""
    for op, edit in channels.edits:
        times: dict[int, int] = defaultdict(int)
        for cls, _, _ in _pieces(classes, edit.layout):
            times[cls] += edit.layout.inner * edit.layout.outer
        for cls, n in times.items():
            each = n // edit.share
            yield cls, Count(op, edit.attr, edit.index, each, edit.value, _only_its(channels, op))


def _only_its(channels: Channels, op: int) -> str | None:
    """A parameter by which an op can be told from others."""
    for name in channels.program.ops[op].input_names():
        if channels.users.get((name, 0)) == {op}:
            return name
    return None


def _parts(
    classes: list[int],
    places: dict[int, list[_Place]],
    counts: dict[int, list[Count]],
    lengths: dict[int, int],
) -> tuple[Part, ...]:
    """Classes that lie in the same parameters and attributes make one part."""
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for cls in classes:
        where = tuple(sorted(place[:5] for place in places[cls]))
        alike[(where, tuple(sorted(counts[cls], key=str)))].append(cls)
    parts = []
    for together in alike.values():
        size = sum(lengths[cls] for cls in together)
        cuts = _cuts(together, places, lengths)
        parts.append(Part(size, cuts, tuple(counts[together[0]])))
    return tuple(parts)


def _cuts(
    together: list[int], places: dict[int, list[_Place]], lengths: dict[int, int]
) -> tuple[Cut, ...]:
    """The n-th place of each class in a parameter's axis makes one cut of all of them."""
    columns = zip(*(sorted(places[cls]) for cls in together), strict=True)
    merged: dict[Cut, list[str]] = defaultdict(list)
    for column in columns:
        param, axis, size, width, role, _ = column[0]
        stretches = tuple(
            (place[5], lengths[cls] * width) for cls, place in zip(together, column, strict=True)
        )
        merged[Cut((), axis, size, role, width, stretches)].append(param)
    return tuple(replace(cut, params=tuple(params)) for cut, params in merged.items())
