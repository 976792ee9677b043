"""What is pruned: one plan that the finding, the config, the checkpoint and the cutter share.

A plan is plain data and needs no numpy. It grows in three steps:

1. `graphprobe.pruning.groups` finds the groups: which channels lie where (ratio 0).
2. A choice gives each group a ratio (`with_ratios`); this is what a prune config holds.
3. Ranking by the weights chooses which channels of each part go (`PrunePart.removed`); this is what
   a checkpoint holds, and what is replayed wherever the network is built again.

After step 3 the plan holds every change: `axes` of parameters and `attr_updates` of ops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias

from graphprobe.ir.findings import Policy
from graphprobe.pruning.amounts import kept_channels, units

Role: TypeAlias = Literal["out", "in", "each"]
Criterion: TypeAlias = Literal["l1_norm", "group_l1_norm"]
# (first position, length)
Ranges: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PrunedAxis:
    """Where the channels of a part lie along one axis of some parameters.

    Args:
        params: parameters with the same positions.
        axis: the axis.
        size: its size before pruning.
        role: ``out`` where the parameter makes the channels, ``in`` where it consumes them,
            ``each`` where it has one number for each.
        width: how many neighbouring positions a channel takes.
        ranges: (first position, length) in the order of the channels.
    """

    params: tuple[str, ...]
    axis: int
    size: int
    role: Role = "each"
    width: int = 1
    ranges: Ranges = ()

    def positions(self, channels: Iterable[int]) -> list[int]:
        """The positions that some channels take, ascending."""
        starts = list(units(self.ranges, self.width))
        return sorted(starts[i] + j for i in channels for j in range(self.width))


@dataclass(frozen=True, slots=True)
class PrunedAttr:
    """An integer of an op's attribute that goes down by `each` for every channel removed.

    Args:
        op: type of the op.
        output: a variable that it writes.
        param: a parameter that it alone reads, or None.
        attr: the attribute.
        value: the attribute before pruning.
        index: which entry of a list; None where it is one integer.
        each: what a channel counts.
    """

    op: str
    output: str
    param: str | None
    attr: str
    value: int | tuple[int, ...]
    index: int | None = None
    each: int = 1


@dataclass(frozen=True, slots=True, repr=False)
class PrunePart:
    """Channels that are ranked together.

    Args:
        channels: how many.
        axes: where they lie.
        attrs: what counts them.
        removed: the channels that go, ascending; None before they are ranked.
        summed: whether two features are summed over them, as query and key are.
    """

    channels: int
    axes: tuple[PrunedAxis, ...]
    attrs: tuple[PrunedAttr, ...] = ()
    removed: tuple[int, ...] | None = None
    summed: bool = False

    def __repr__(self) -> str:
        axes = sum(len(axis.params) for axis in self.axes)
        gone = "not ranked" if self.removed is None else f"{len(self.removed)} removed"
        return f"<PrunePart: {self.channels} channels on {axes} axes, {gone}>"


@dataclass(frozen=True, slots=True, repr=False)
class PruneGroup:
    """Layers whose channels are pruned together.

    Args:
        number: as in the decisions.
        layers: their weights; the first one, the leader, ranks the channels.
        parts: what can be pruned.
        ratio: the share of the channels removed.
    """

    number: int
    layers: tuple[str, ...]
    parts: tuple[PrunePart, ...]
    ratio: float = 0.0

    def __repr__(self) -> str:
        layers = f"{len(self.layers)} layer(s) of {self.leader!r}" if self.layers else "no layer"
        return (
            f"<PruneGroup {self.number}: {layers}, {self.channels} channels, ratio {self.ratio:g}>"
        )

    @property
    def leader(self) -> str:
        """The weight whose channels are ranked."""
        return self.layers[0]

    @property
    def channels(self) -> int:
        """How many channels the group has."""
        return sum(part.channels for part in self.parts)

    @property
    def removed(self) -> int:
        """How many channels go; 0 before they are ranked."""
        return sum(len(part.removed or ()) for part in self.parts)


class KeptPositions(NamedTuple):
    """What stays of one axis: `kept` positions, ascending, of `size`."""

    size: int
    kept: tuple[int, ...]


class AttrChange(NamedTuple):
    """An attribute that counts channels, with its value before and after."""

    op: str
    output: str
    param: str | None
    attr: str
    before: int | tuple[int, ...]
    after: int | tuple[int, ...]


@dataclass(frozen=True, repr=False)
class PrunePlan:
    """What is pruned together, how much of it, and (once ranked) which channels go.

    Args:
        groups: what goes together.
        policy: ``seeds`` or ``coupled``.
        criterion: what ranks the channels.
        round_to: channels that stay are a multiple of this.
        min_channels: at least so many stay.
    """

    groups: tuple[PruneGroup, ...] = ()
    policy: Policy = "seeds"
    criterion: Criterion = "l1_norm"
    round_to: int = 1
    min_channels: int = 1

    def __repr__(self) -> str:
        layers = sum(len(group.layers) for group in self.groups)
        groups = f"{len(self.groups)} group(s) of {layers} layers"
        return f"<PrunePlan: {groups}, {self.policy}, {self.criterion}>"

    def kept(self, group: PruneGroup, part: PrunePart) -> int:
        """How many channels of a part stay."""
        if part.removed is not None:
            return part.channels - len(part.removed)
        return kept_channels(part.channels, group.ratio, self.round_to, self.min_channels)

    def with_ratios(self, ratios: Sequence[float]) -> PrunePlan:
        """The same groups with other ratios, not ranked."""
        groups = (
            replace(
                group,
                ratio=ratio,
                parts=tuple(replace(part, removed=None) for part in group.parts),
            )
            for group, ratio in zip(self.groups, ratios, strict=True)
        )
        return replace(self, groups=tuple(groups))

    def only(self, *numbers: int) -> PrunePlan:
        """The plan of the groups at some places of `groups`."""
        return replace(self, groups=tuple(self.groups[i] for i in numbers))

    def shapes_after(self, shapes: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters that shrink; known before channels are ranked.

        Args:
            shapes: parameter -> its shape before. Parameters that are not in it are left out.
        """
        gone: dict[str, dict[int, int]] = {}
        for group in self.groups:
            for part in group.parts:
                less = part.channels - self.kept(group, part)
                for axis in part.axes if less else ():
                    for name in axis.params:
                        of_name = gone.setdefault(name, {})
                        of_name[axis.axis] = of_name.get(axis.axis, 0) + less * axis.width
        return {
            name: tuple(size - axes.get(i, 0) for i, size in enumerate(shapes[name]))
            for name, axes in gone.items()
            if name in shapes
        }

    @cached_property
    def channels(self) -> dict[str, tuple[int, int]]:
        """Leader of each group -> its channels before and after."""
        return {
            group.leader: (
                group.channels, sum(self.kept(group, part) for part in group.parts)
            )
            for group in self.groups
        }  # fmt: skip

    @cached_property
    def leaders(self) -> dict[str, str]:
        """Weight whose output channels are pruned -> the leader of its group."""
        return {
            name: group.leader
            for group in self.groups
            if self.channels[group.leader][1] < group.channels
            for name in group.layers
        }

    @cached_property
    def axes(self) -> dict[str, dict[int, KeptPositions]]:
        """Parameter -> axis -> what stays of it. Empty before channels are ranked."""
        gone: dict[tuple[str, int, int], set[int]] = {}
        for axis, removed in self._removed_axes():
            lost = axis.positions(removed)
            for name in axis.params:
                gone.setdefault((name, axis.axis, axis.size), set()).update(lost)
        found: dict[str, dict[int, KeptPositions]] = {}
        for (name, at, size), lost_of in gone.items():
            kept = tuple(i for i in range(size) if i not in lost_of)
            found.setdefault(name, {})[at] = KeptPositions(size, kept)
        return found

    @cached_property
    def attr_updates(self) -> tuple[AttrChange, ...]:
        """Attributes that change. Empty before channels are ranked."""
        found: dict[tuple[str, str, str | None, str], tuple[PrunedAttr, list[int]]] = {}
        for group in self.groups:
            for part in group.parts:
                for attr in part.attrs if part.removed else ():
                    key = (attr.op, attr.output, attr.param, attr.attr)
                    if key not in found:
                        value = attr.value
                        found[key] = attr, [value] if isinstance(value, int) else list(value)
                    now = found[key][1]
                    now[attr.index or 0] -= attr.each * len(part.removed or ())
        return tuple(
            AttrChange(*key, attr.value, now[0] if isinstance(attr.value, int) else tuple(now))
            for key, (attr, now) in found.items()
        )

    def shape_after(self, name: str, shape: Iterable[int]) -> tuple[int, ...]:
        """A parameter's shape once the ranked channels are removed."""
        axes = self.axes.get(name, {})
        return tuple(len(axes[i].kept) if i in axes else s for i, s in enumerate(shape))

    def removed_inputs(self) -> Iterator[tuple[str, int, list[int]]]:
        """(weight, axis, positions) where a weight consumes channels that go.

        Zeros there give the pruned network's outputs, whatever norms and activations make of what
        is gone. What two features are summed over is 0 where it is made.
        """
        for part in self._removed_parts():
            for axis in part.axes:
                if axis.role == "in" or part.summed:
                    lost = axis.positions(part.removed or ())
                    for name in axis.params:
                        yield name, axis.axis, lost

    def _removed_parts(self) -> Iterator[PrunePart]:
        for group in self.groups:
            yield from (part for part in group.parts if part.removed)

    def _removed_axes(self) -> Iterator[tuple[PrunedAxis, tuple[int, ...]]]:
        for part in self._removed_parts():
            yield from ((axis, part.removed or ()) for axis in part.axes)
