"""What is pruned together, as slices of parameters.

Channels of one group of layers that lie in the same parameters form a `PrunePart`: they are
numbered from 0 (each stands for everything that goes with it), and each `PrunedAxis` says where
they lie along one axis of some parameters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from graphprobe.ir import PruneDecision
from graphprobe.ops.channel_layout import ChannelLayout
from graphprobe.pruning.constraints import Channels
from graphprobe.pruning.decisions import PruneFindings
from graphprobe.pruning.partition import Classes
from graphprobe.pruning.plan import PrunedAttr, PrunedAxis, PruneGroup, PrunePart, Role

# Where one class lies: (number of the axis, first position).
_Place: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Axis:
    """An axis that some parameters have alike, as the four of a norm: the same channels on it."""

    params: tuple[str, ...]
    layout: ChannelLayout
    role: Role


@dataclass(frozen=True, slots=True)
class _Lie:
    """Where the classes of a program lie.

    Args:
        axes: what places number.
        places: of each class.
        counts: what counts each class.
        lengths: channels of each class.
    """

    axes: list[_Axis]
    places: dict[int, list[_Place]]
    counts: dict[int, list[PrunedAttr]]
    lengths: dict[int, int]


def prune_groups(found: PruneFindings) -> tuple[PruneGroup, ...]:
    """The groups that can be cut, in program order of their leaders."""
    lie = _lie(found)
    members: dict[int, list[PruneDecision]] = defaultdict(list)
    for decision in found.decisions:
        members[decision.group].append(decision)
    out_axis = {op: axis for op, _, axis in found.channels.convs}
    groups = []
    for leader in found.prunable:
        convs = [leader, *(d for d in members[leader.group] if d is not leader)]
        classes = _classes_of(found, [d for d in convs if _takes_part(d)], out_axis)
        layers = tuple(dict.fromkeys(d.param for d in convs))
        groups.append(PruneGroup(leader.group, layers, _parts(classes, lie)))
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


def _lie(found: PruneFindings) -> _Lie:
    """Find every class on every axis that channels lie along."""
    lie = _Lie(_axes(found.channels), defaultdict(list), defaultdict(list), {})
    for number, axis in enumerate(lie.axes):
        layout = axis.layout
        for cls, first, length in _pieces(found.classes, layout):
            lie.lengths[cls] = length
            for repeat in range(layout.outer):
                place = (number, first + repeat * layout.size * layout.inner)
                lie.places[cls].append(place)
    for cls, count in _counted(found.channels, found.classes):
        lie.counts[cls].append(count)
    return lie


def _axes(channels: Channels) -> list[_Axis]:
    """The axes along which channels lie, in the order of their parameters' names."""
    alike: dict[tuple[ChannelLayout, Role], list[str]] = defaultdict(list)
    for (param, _), bound in sorted(channels.bound.items()):
        alike[(bound.layout, bound.role)].append(param)
    return [_Axis(tuple(params), *key) for key, params in alike.items()]


def _pieces(classes: Classes, layout: ChannelLayout) -> list[tuple[int, int, int]]:
    """(class, first position, channels) for each piece of a layout's first repetition."""
    found = []
    at = 0
    for run in layout.runs:
        for piece in classes.pieces(run):
            found.append((piece.cls, at * layout.inner, piece.run.length))
            at += piece.run.length
    return found


def _counted(channels: Channels, classes: Classes) -> Iterator[tuple[int, PrunedAttr]]:
    """Each class that an attribute counts, with what one of its channels counts."""
    for op, edit in channels.edits:
        times: dict[int, int] = defaultdict(int)
        for cls, _, _ in _pieces(classes, edit.layout):
            times[cls] += edit.layout.inner * edit.layout.outer
        for cls, n in times.items():
            each = n // edit.share
            yield (
                cls,
                PrunedAttr(
                    channels.program.ops[op].type,
                    next(channels.program.ops[op].output_names()),
                    _only_its(channels, op),
                    edit.attr,
                    edit.value,
                    edit.index,
                    each,
                ),
            )


def _only_its(channels: Channels, op: int) -> str | None:
    """A parameter by which an op can be told from others."""
    for name in channels.program.ops[op].input_names():
        if channels.users.get((name, 0)) == {op}:
            return name
    return None


def _parts(classes: list[int], lie: _Lie) -> tuple[PrunePart, ...]:
    """Classes that lie on the same axes and in the same attributes make one part."""
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for cls in classes:
        where = tuple(number for number, _ in lie.places[cls])
        counts = tuple(sorted(lie.counts[cls], key=str)) if cls in lie.counts else ()
        alike[(where, counts)].append(cls)
    parts = []
    for together in alike.values():
        size = sum(lie.lengths[cls] for cls in together)
        parts.append(PrunePart(size, _cuts(together, lie), tuple(lie.counts.get(together[0], ()))))
    return tuple(parts)


def _cuts(together: list[int], lie: _Lie) -> tuple[PrunedAxis, ...]:
    """The n-th place of each class on an axis makes one cut of all of them."""
    merged: dict[tuple[int, int, Role, int, tuple[tuple[int, int], ...]], list[str]] = {}
    for column in zip(*(lie.places[cls] for cls in together), strict=True):
        axis = lie.axes[column[0][0]]
        layout, width = axis.layout, axis.layout.inner
        stretches = tuple(
            (first, lie.lengths[cls] * width)
            for cls, (_, first) in zip(together, column, strict=True)
        )
        key = (layout.axis, layout.extent, axis.role, width, stretches)
        merged.setdefault(key, []).extend(axis.params)
    return tuple(
        PrunedAxis(tuple(sorted(params)), axis, size, role, width, stretches)
        for (axis, size, role, width, stretches), params in merged.items()
    )
