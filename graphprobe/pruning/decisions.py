"""Program -> one decision for each convolution: prunable, follower or blocked, and why.

Policies:
    * ``coupled``: channels that go together are pruned together, wherever they lie.
    * ``seeds``: what stands alone: convolutions whose channels meet a concat, a residual add, a
      grouped convolution, or an output stay out; so do depthwise ones, which follow.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from graphprobe.errors import UsageError, did_you_mean
from graphprobe.ir import Program, PruneDecision, Site
from graphprobe.ir.findings import POLICIES, Policy, Reason
from graphprobe.ops.channels.layout import ChannelRange
from graphprobe.ops.channels.rules import RUNTIME_SHAPE
from graphprobe.pruning.channels import Channels, PruneConstraint
from graphprobe.pruning.constraints import find_channels
from graphprobe.pruning.layers import Layer, class_lengths, layers_of, number_groups
from graphprobe.pruning.partition import ChannelPartition
from graphprobe.pruning.paths import Paths
from graphprobe.pruning.reasons import output_ops, resolved, seeds_blocks

# Where several things stop the same channels, the first of these is reported.
_ORDER: tuple[Reason, ...] = (
    "output", "concat", "residual", "shared", "grouped", "depthwise", "unsupported_op",
)  # fmt: skip
_RANKS = {reason: at for at, reason in enumerate(_ORDER)}


@dataclass(frozen=True, slots=True, repr=False)
class PruneFindings:
    """What a policy decides on a program.

    Args:
        policy: the policy.
        decisions: one for each convolution, in program order.
        linears: one for each fully connected layer; none under ``seeds``.
        unsupported: op types that channels reach and that are not known, with their number.
        channels: where every channel goes.
        partition: which channels go together.
        blocked: the classes that cannot be pruned.
    """

    policy: Policy
    decisions: tuple[PruneDecision, ...]
    linears: tuple[PruneDecision, ...]
    unsupported: dict[str, int]
    channels: Channels
    partition: ChannelPartition
    blocked: frozenset[int]

    @property
    def prunable(self) -> tuple[PruneDecision, ...]:
        """The decisions ``prunable``, in program order."""
        rows = (d for d in (*self.decisions, *self.linears) if d.status == "prunable")
        return tuple(sorted(rows, key=lambda d: d.op))

    def __repr__(self) -> str:
        rows = len(self.decisions) + len(self.linears)
        return f"<PruneFindings: {len(self.prunable)} of {rows} layers prunable, {self.policy}>"


def policy_of(policy: str) -> Policy:
    """The policy of that name.

    Raises:
        UsageError: there is none.
    """
    chosen: Policy | None = next((p for p in POLICIES if p == policy), None)
    if chosen is None:
        hint = did_you_mean(policy, POLICIES) or f"use {' or '.join(POLICIES)}"
        raise UsageError(f"no policy {policy!r}", where="policy", hint=hint)
    return chosen


def find_prunable(program: Program, policy: str = "seeds") -> PruneFindings:
    """Decide on every convolution of a program's forward part.

    Args:
        program: of any kind; backward and optimizer ops are left out.
        policy: ``seeds`` or ``coupled``.

    Raises:
        UsageError: the policy is not known.
    """
    chosen = policy_of(policy)
    channels = find_channels(program)
    constraints = resolved(channels)
    if chosen == "seeds":
        constraints += seeds_blocks(channels)
    return decide_convolutions(channels, constraints, chosen)


def decide_convolutions(
    channels: Channels, constraints: list[PruneConstraint], policy: Policy
) -> PruneFindings:
    """One decision for each layer that makes channels, under constraints that have reasons."""
    partition = ChannelPartition(channels.alike, _marks(channels, constraints))
    stopped: dict[int, list[PruneConstraint]] = defaultdict(list)
    for constraint in (*constraints, *_counted_otherwise(channels, partition)):
        for index in dict.fromkeys(partition.classes(constraint.layout)):
            stopped[index].append(constraint)
    rows = layers_of(channels, partition, linears=policy == "coupled")
    decisions = _Decisions(channels, partition, stopped, rows, policy)
    found = [(row, decisions.decide(row)) for row in rows]
    types = Counter(channels.program.ops[i].type for i in channels.unknown)
    return PruneFindings(
        policy,
        tuple(decision for row, decision in found if not row.linear),
        tuple(decision for row, decision in found if row.linear),
        dict(sorted(types.items())),
        channels,
        partition,
        frozenset(stopped),
    )


def _counted_otherwise(
    channels: Channels, partition: ChannelPartition
) -> Iterator[PruneConstraint]:
    """Channels whose number a shape measures of something that loses more or fewer of them."""
    for op, counts in channels.counts:
        needed, measured = partition.times(counts.layout), partition.times(counts.measured)
        if {i: n * counts.divided for i, n in needed.items()} != measured:
            yield PruneConstraint(counts.layout, op, RUNTIME_SHAPE, "unsupported_op")


def _marks(channels: Channels, constraints: Iterable[PruneConstraint]) -> Iterator[ChannelRange]:
    for bound in channels.bound.values():
        yield from bound.layout.runs
    for layout in channels.layers.values():
        yield from layout.runs
    for _, edit in channels.edits:
        yield from edit.layout.runs
    for layout in channels.sums:
        yield from layout.runs
    for _, counts in channels.counts:
        yield from (*counts.layout.runs, *counts.measured.runs)
    for constraint in constraints:
        yield from constraint.layout.runs


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a class of channels is stopped: by the op that it reaches, for one reason."""

    index: int
    rank: int
    ops: dict[int, PruneConstraint]

    @property
    def reason(self) -> Reason:
        return _ORDER[self.rank]


class _Decisions:
    """Decides for each layer what may be done with it."""

    def __init__(
        self,
        channels: Channels,
        partition: ChannelPartition,
        stopped: dict[int, list[PruneConstraint]],
        rows: list[Layer],
        policy: Policy,
    ) -> None:
        self.channels = channels
        self.stopped = stopped
        self.policy = policy
        self.paths = Paths(channels, partition)
        self.obstacles: dict[int, _Obstacle] = {}
        self.length = class_lengths(channels, partition)
        self.group = number_groups(rows)
        self.uses = Counter(row.param for row in rows)
        self.added = {
            index
            for what, layout, _ in channels.meets
            if what == "residual"
            for index in partition.classes(layout)
        }
        self.leader: dict[int, Layer] = {}
        # A convolution leads before a fully connected layer, the first of each before the others.
        for row in sorted(rows, key=lambda row: row.linear):
            if not row.depthwise and self._is_free(row):
                self.leader.setdefault(self.group[row.op], row)

    @cached_property
    def outputs(self) -> frozenset[int]:
        """Ops from which an output comes; found once a layer of one channel asks."""
        return output_ops(self.channels)

    def decide(self, row: Layer) -> PruneDecision:
        """The decision on one layer."""
        if self.policy == "seeds" and row.depthwise:
            detail = "depthwise: it has the channels of its input, and follows them"
            return self._alone(row, "depthwise", detail)
        if self._is_free(row):
            leader = self.leader.get(self.group[row.op])
            if leader is row:
                return self._make(row, "prunable")
            if leader is not None:
                return self._follower(row, leader)
        return self._blocked(row)

    def _is_free(self, row: Layer) -> bool:
        """seeds: nothing stops any channel; coupled: some channels are not stopped."""
        free = [index for index in row.classes if index not in self.stopped]
        if self.policy == "seeds" and len(free) < len(row.classes):
            return False
        return sum(self.length[index] for index in free) > 1

    def _blocked(self, row: Layer) -> PruneDecision:
        obstacles = [self._obstacle(i) for i in row.classes if i in self.stopped]
        if not row.classes:
            read = self.channels.program.ops[row.op].input_names()
            computed = row.param not in read
            detail = "its filter is computed in a way that is not followed"
            detail = detail if computed else "its filter is not a parameter of known size"
            return self._alone(row, "unsupported_op", detail)
        if not obstacles:
            one = sum(self.length[index] for index in row.classes) == row.shape[0] == 1
            output = one and any(i in self.outputs for i in self.channels.flow.successors(row.op))
            detail = "it makes one channel" if one else "its channels are tied into one"
            reason: Reason = "output" if output else "grouped"
            return self._alone(row, reason, f"{detail}, which must stay")
        worst = min(obstacles, key=lambda obstacle: obstacle.rank)
        path, at = self.paths.to_block(row.op, worst.index, worst.ops)
        constraint = worst.ops[at]
        if constraint.via:
            # What was stopped before is listed from the joint on: its own way back to the cause.
            path = (*self.paths.to_joint(row.op, worst.index, at), *constraint.via)
        site = Site(constraint.op, self.channels.program.ops[constraint.op].type)
        return self._make(row, "blocked", worst.reason, site, path, constraint.detail)

    def _obstacle(self, index: int) -> _Obstacle:
        """What is reported of a stopped class: the first reason of the order, once a class."""
        if index not in self.obstacles:
            constraints = self.stopped[index]
            ranks = [_RANKS[c.reason or "unsupported_op"] for c in constraints]
            rank = min(ranks)
            worst = [c for c, each in zip(constraints, ranks, strict=True) if each == rank]
            ops = {c.meets_at: c for c in reversed(worst)}
            self.obstacles[index] = _Obstacle(index, rank, ops)
        return self.obstacles[index]

    def _alone(self, row: Layer, reason: Reason, detail: str) -> PruneDecision:
        """Blocked by what the layer itself is."""
        return self._make(row, "blocked", reason, Site(row.op, self._type(row)), (), detail)

    def _follower(self, row: Layer, leader: Layer) -> PruneDecision:
        reason: Reason = "residual"
        if row.depthwise:
            reason = "depthwise"
        elif self.uses[row.param] > 1:
            reason = "shared"
        elif row.groups > 1:
            reason = "grouped"
        elif self.added.isdisjoint(row.classes):
            reason = "shared"  # tied by nothing but a parameter that reads them all
        theirs = set(leader.classes)
        shared = next((index for index in row.classes if index in theirs), None)
        path = self.paths.between(row.op, leader.op, shared) if shared is not None else ()
        site = Site(leader.op, self.channels.program.ops[leader.op].type)
        return self._make(row, "follower", reason, site, path, f"goes with {leader.param}")

    def _type(self, row: Layer) -> str:
        return self.channels.program.ops[row.op].type

    def _make(
        self,
        row: Layer,
        status: Literal["prunable", "follower", "blocked"],
        reason: Reason | None = None,
        at: Site | None = None,
        path: tuple[str, ...] = (),
        detail: str = "",
    ) -> PruneDecision:
        return PruneDecision(
            row.param, row.op, self._type(row), row.shape, row.groups,
            status, reason, at, path, self.group[row.op], detail,
        )  # fmt: skip
