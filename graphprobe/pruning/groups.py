"""What is pruned together, as slices of parameters.

Channels of one group of layers that lie in the same parameters form a `PrunePart`: they are
numbered from 0 (each stands for everything that goes with it), and each `PrunedAxis` gives where
they lie along one axis of some parameters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from graphprobe.errors import UsageError
from graphprobe.ir import PruneDecision
from graphprobe.ops.channels.layout import ChannelLayout
from graphprobe.pruning.channels import Channels
from graphprobe.pruning.decisions import PruneFindings
from graphprobe.pruning.partition import ChannelPartition
from graphprobe.pruning.plan import PrunedAttr, PrunedAxis, PruneGroup, PrunePart, Ranges, Role

# More places than these are not written down: a size in a file sets how often channels repeat.
MOST_PLACES = 1 << 21
# Where one class lies: (number of the axis, first position).
_Position: TypeAlias = tuple[int, int]


class _Axis(NamedTuple):
    """An axis that some parameters have alike, as the four of a norm: the same channels on it."""

    params: tuple[str, ...]
    layout: ChannelLayout
    role: Role


class _ClassIndex(NamedTuple):
    """Where the classes of a program lie.

    Args:
        axes: what positions number.
        positions: of each class.
        attrs: what counts each class.
        lengths: channels of each class.
        sums: the classes that are summed over with others.
    """

    axes: list[_Axis]
    positions: dict[int, list[_Position]]
    attrs: dict[int, list[PrunedAttr]]
    lengths: dict[int, int]
    sums: frozenset[int]


def prune_groups(found: PruneFindings) -> tuple[PruneGroup, ...]:
    """The groups that can be pruned, in program order of their leaders."""
    index = _index_classes(found)
    members: dict[int, list[PruneDecision]] = defaultdict(list)
    for decision in (*found.decisions, *found.linears):
        members[decision.group].append(decision)
    groups = []
    for leader in found.prunable:
        layers = [leader, *(d for d in members[leader.group] if d is not leader)]
        classes = _classes_of(found, [d for d in layers if _takes_part(d)])
        names = tuple(dict.fromkeys(d.param for d in layers))
        groups.append(PruneGroup(leader.group, names, _parts(classes, index)))
    return tuple(groups)


def _takes_part(decision: PruneDecision) -> bool:
    return decision.status != "blocked" or decision.reason == "depthwise"


def _classes_of(found: PruneFindings, layers: list[PruneDecision]) -> list[int]:
    classes: dict[int, None] = {}
    for layer in layers:
        layout = found.channels.layers.get(layer.op)
        for index in found.partition.classes(layout) if layout is not None else ():
            if index not in found.blocked:
                classes[index] = None
    return list(classes)


def _index_classes(found: PruneFindings) -> _ClassIndex:
    """Find every class on every axis that channels lie along."""
    sums = {i for layout in found.channels.sums for i in found.partition.classes(layout)}
    axes = _axes(found.channels)
    index = _ClassIndex(axes, defaultdict(list), defaultdict(list), {}, frozenset(sums))
    places = 0
    for number, axis in enumerate(index.axes):
        layout = axis.layout
        for at, first, length in _class_ranges(found.partition, layout):
            places += layout.outer
            if places > MOST_PLACES:
                raise UsageError(
                    f"its channels lie at more than {MOST_PLACES:,} places, up to {axis.params[0]}",
                    hint="keep what repeats them so often out of what is pruned",
                )
            index.lengths[at] = length
            for repeat in range(layout.outer):
                position = (number, first + repeat * layout.size * layout.inner)
                index.positions[at].append(position)
    for at, attr in _counted(found.channels, found.partition):
        index.attrs[at].append(attr)
    return index


def _axes(channels: Channels) -> list[_Axis]:
    """The axes along which channels lie, in the order of their parameters' names."""
    alike: dict[tuple[ChannelLayout, Role], list[str]] = defaultdict(list)
    for (param, _), bound in sorted(channels.bound.items()):
        alike[(bound.layout, bound.role)].append(param)
    return [_Axis(tuple(params), *key) for key, params in alike.items()]


def _class_ranges(
    partition: ChannelPartition, layout: ChannelLayout
) -> Iterator[tuple[int, int, int]]:
    """(class, first position, channels) for each range of a layout's first repetition."""
    at = 0
    for run in layout.runs:
        for part in partition.parts(run):
            yield part.index, at * layout.inner, part.run.length
            at += part.run.length


def _counted(channels: Channels, partition: ChannelPartition) -> Iterator[tuple[int, PrunedAttr]]:
    """Each class that an attribute counts, with what one of its channels counts."""
    seen: set[tuple[object, ...]] = set()
    for op, edit in channels.edits:
        holder = op if edit.source is None else edit.source
        known = (holder, *edit._replace(value=0))  # a list is as long as its op has entries
        if known in seen:
            continue  # one constant that several reshapes read
        seen.add(known)
        written = channels.program.ops[holder]
        param = None if edit.source is not None else _only_its(channels, op)
        for index, n in partition.times(edit.layout).items():
            yield (
                index,
                PrunedAttr(
                    written.type,
                    next(written.output_names(), ""),
                    param,
                    edit.attr,
                    edit.value,
                    edit.entry,
                    n // edit.share,
                ),
            )


def _only_its(channels: Channels, op: int) -> str | None:
    """A parameter by which an op can be known from others."""
    for name in channels.program.ops[op].input_names():
        if channels.users.get((name, 0)) == {op}:
            return name
    return None


def _parts(classes: list[int], index: _ClassIndex) -> tuple[PrunePart, ...]:
    """Classes that lie on the same axes and in the same attributes make one part."""
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for at in classes:
        where = tuple(number for number, _ in index.positions[at])
        attrs = frozenset(replace(attr, value=0) for attr in index.attrs.get(at, ()))
        alike[(where, attrs, at in index.sums)].append(at)
    return tuple(
        PrunePart(
            sum(index.lengths[at] for at in together),
            _pruned_axes(together, index),
            tuple(index.attrs.get(together[0], ())),
            summed=together[0] in index.sums,
        )
        for together in alike.values()
    )


def _pruned_axes(together: list[int], index: _ClassIndex) -> tuple[PrunedAxis, ...]:
    """The n-th position of each class on an axis makes one axis of all of them."""
    merged: dict[tuple[int, int, Role, int, Ranges], list[str]] = {}
    lengths = [index.lengths[at] for at in together]
    for number, firsts, width in _columns(together, index):
        axis = index.axes[number]
        ranges = tuple(
            (first, length * width) for first, length in zip(firsts, lengths, strict=True)
        )
        key = (axis.layout.axis, axis.layout.extent, axis.role, width, ranges)
        merged.setdefault(key, []).extend(axis.params)
    return tuple(
        PrunedAxis(tuple(sorted(params)), axis, size, role, width, ranges)
        for (axis, size, role, width, ranges), params in merged.items()
    )


def _columns(together: list[int], index: _ClassIndex) -> Iterator[tuple[int, list[int], int]]:
    """(axis, first position of each class, width); neighbouring single channels are one column.

    A head of an attention has as many neighbours as its size; they are one position that wide.
    """
    single = all(index.lengths[at] == 1 for at in together)
    open_: tuple[int, list[int], int] | None = None
    for column in zip(*(index.positions[at] for at in together), strict=True):
        number, firsts = column[0][0], [first for _, first in column]
        inner = index.axes[number].layout.inner
        if open_ is not None and single and open_[0] == number:
            _, before, width = open_
            if all(b == a + width for a, b in zip(before, firsts, strict=True)):
                open_ = (number, before, width + inner)
                continue
        if open_ is not None:
            yield open_
        open_ = (number, firsts, inner)
    if open_ is not None:
        yield open_
