"""Where channels go in one program: what the walk finds, and all that follows needs.

`graphprobe.pruning.channel_walk` fills a `Channels` op by op, `graphprobe.pruning.constraints` adds
what keeps channels for the sake of the whole program, and decisions, groups and paths read it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from graphprobe.ir import Dataflow, Program, Value
from graphprobe.ir.findings import Reason
from graphprobe.ops.channels.layout import ChannelLayout, ChannelRange, Space
from graphprobe.ops.channels.spec import AttrUpdate, CountsAlike


class PruneConstraint(NamedTuple):
    """Channels that an op keeps from being pruned.

    Args:
        layout: the channels.
        op: the op that stops them.
        detail: one sentence for people.
        reason: None where it follows from the graph.
        joint: the op where the channels meet what has been stopped before by `op`; None: `op`.
        via: variables from the joint back to what `op` makes.
    """

    layout: ChannelLayout
    op: int
    detail: str
    reason: Reason | None = None
    joint: int | None = None
    via: tuple[str, ...] = ()

    @property
    def meets_at(self) -> int:
        """The op that the channels reach."""
        return self.op if self.joint is None else self.joint


class Bound(NamedTuple):
    """A parameter's axis and the channels that lie along it."""

    layout: ChannelLayout
    role: Literal["out", "in", "each"]
    op: int


@dataclass(slots=True, repr=False)
class Channels:
    """Where channels go in one program.

    Args:
        flow: the program's values.
        layouts: for each value, what it carries.
        seconds: what a value carries along another axis, beside these.
        bound: (parameter, axis) -> the channels along it, as first met.
        users: (parameter, axis) -> ops that prune along it.
        alike: runs of equal length that are pruned alike, position by position.
        blocks: what cannot be pruned.
        meets: what a policy may refuse: (kind, channels, op).
        edits: attributes that count channels, with their ops.
        sums: channels that are summed over, each times one of another feature.
        counts: measured sizes that must count the same channels, with their ops.
        unknown: ops that channels reach and that have no spec.
        quantised: the first op that quantises a weight, or None.
        convs: (op id, filter, the axis of its output channels), in program order.
        linears: the same for fully connected layers.
        layers: op id of each of both -> the channels that it makes.
        links: ops whose inputs and outputs carry the same channels.
    """

    flow: Dataflow
    layouts: list[ChannelLayout | None]
    seconds: dict[int, ChannelLayout] = field(default_factory=dict)
    bound: dict[Space, Bound] = field(default_factory=dict)
    users: dict[Space, set[int]] = field(default_factory=lambda: defaultdict(set))
    alike: list[tuple[ChannelRange, ChannelRange]] = field(default_factory=list)
    blocks: list[PruneConstraint] = field(default_factory=list)
    meets: list[tuple[str, ChannelLayout, int]] = field(default_factory=list)
    edits: list[tuple[int, AttrUpdate]] = field(default_factory=list)
    counts: list[tuple[int, CountsAlike]] = field(default_factory=list)
    sums: list[ChannelLayout] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    quantised: int | None = None
    convs: list[tuple[int, str, int]] = field(default_factory=list)
    linears: list[tuple[int, str, int]] = field(default_factory=list)
    layers: dict[int, ChannelLayout] = field(default_factory=dict)
    links: set[int] = field(default_factory=set)

    @property
    def program(self) -> Program:
        """The program."""
        return self.flow.program

    def carried(self, value: int) -> tuple[ChannelLayout, ...]:
        """What a value carries, along one axis or two."""
        found = self.layouts[value], self.seconds.get(value)
        return tuple(layout for layout in found if layout is not None)

    def is_used(self, value: Value) -> bool:
        """Whether a forward op reads a value that is no parameter or statistic."""
        var = self.program.var(value.name)
        if var is not None and var.persistable:
            return False
        return any(op.role == "forward" for op in self.flow.consumers(value))

    def __repr__(self) -> str:
        return f"<Channels: of {len(self.layers)} layers in {len(self.program.ops)} ops>"
