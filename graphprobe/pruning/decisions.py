"""Program -> one decision for each convolution: prunable, follower or blocked, and why.

Policies:
    * ``coupled``: channels that go together are cut together, wherever they lie.
    * ``seeds``: what stands alone: convolutions whose channels meet a concat, a residual add, a
      grouped convolution, or an output stay out; so do depthwise ones, which follow.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from graphprobe.errors import UsageError, did_you_mean
from graphprobe.ir import Program, PruneDecision, Site
from graphprobe.ir.findings import Reason
from graphprobe.ops.channel_layout import ChannelLayout, ChannelRange
from graphprobe.ops.spec import depthwise_filter
from graphprobe.pruning.constraints import Block, Channels, find_channels
from graphprobe.pruning.partition import Classes
from graphprobe.pruning.paths import Paths
from graphprobe.pruning.reasons import resolved, seeds_blocks

Policy: TypeAlias = Literal["seeds", "coupled"]
POLICIES: tuple[Policy, ...] = ("seeds", "coupled")

# Where several things stop the same channels, the first of these is said.
_ORDER: tuple[Reason, ...] = (
    "output", "concat", "residual", "shared", "grouped", "depthwise", "unsupported_op",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PruneFindings:
    """What a policy says of a program.

    Args:
        policy: the policy.
        decisions: one for each convolution, in program order.
        unsupported: op types that channels reach and that are not known, with their number.
        channels: where every channel goes.
        classes: which channels go together.
        blocked: the classes that cannot be cut.
    """

    policy: Policy
    decisions: tuple[PruneDecision, ...]
    unsupported: dict[str, int]
    channels: Channels
    classes: Classes
    blocked: frozenset[int]

    @property
    def prunable(self) -> tuple[PruneDecision, ...]:
        """The decisions that say prunable."""
        return tuple(d for d in self.decisions if d.status == "prunable")


@dataclass(frozen=True, slots=True)
class _Row:
    op: int
    param: str
    shape: tuple[int, ...]
    groups: int
    classes: tuple[int, ...]
    depthwise: bool


def find_prunable(program: Program, policy: str = "seeds") -> PruneFindings:
    """Decide on every convolution of a program's forward part.

    Args:
        program: of any kind; backward and optimizer ops are left out.
        policy: ``seeds`` or ``coupled``.

    Raises:
        UsageError: the policy is not known.
    """
    chosen: Policy | None = next((p for p in POLICIES if p == policy), None)
    if chosen is None:
        hint = did_you_mean(policy, POLICIES) or f"use {' or '.join(POLICIES)}"
        raise UsageError(f"no policy {policy!r}", where="--policy", hint=hint)
    channels = find_channels(program)
    blocks = resolved(channels)
    if chosen == "seeds":
        blocks += seeds_blocks(channels)
    return _decide(channels, blocks, chosen)


def _decide(channels: Channels, blocks: list[Block], policy: Policy) -> PruneFindings:
    classes = Classes(channels.alike, _marks(channels, blocks))
    stopped: dict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        for cls in dict.fromkeys(_classes(classes, block.layout)):
            stopped[cls].append(block)
    rows = [_row(channels, classes, conv) for conv in channels.convs]
    judge = _Judge(channels, classes, stopped, rows, policy)
    decisions = tuple(judge.decide(row) for row in rows)
    types = Counter(channels.program.ops[i].type for i in channels.unknown)
    return PruneFindings(
        policy, decisions, dict(sorted(types.items())), channels, classes, frozenset(stopped)
    )


def _marks(channels: Channels, blocks: Iterable[Block]) -> Iterator[ChannelRange]:
    for bound in channels.bound.values():
        yield from bound.layout.runs
    for _, edit in channels.edits:
        yield from edit.layout.runs
    for block in blocks:
        yield from block.layout.runs


def _lengths(channels: Channels, classes: Classes) -> dict[int, int]:
    """How many channels each class has."""
    return {
        piece.cls: piece.run.length
        for bound in channels.bound.values()
        for run in bound.layout.runs
        for piece in classes.pieces(run)
    }


def _classes(classes: Classes, layout: ChannelLayout) -> Iterator[int]:
    for run in layout.runs:
        for piece in classes.pieces(run):
            yield piece.cls


def _row(channels: Channels, classes: Classes, conv: tuple[int, str, int]) -> _Row:
    op_id, param, out_axis = conv
    op = channels.program.ops[op_id]
    shape = channels.program.shape(param, op.block) or ()
    groups = max(1, op.get_int("groups", 1))
    bound = channels.bound.get((param, out_axis))
    found = tuple(dict.fromkeys(_classes(classes, bound.layout))) if bound is not None else ()
    return _Row(op_id, param, shape, groups, found, depthwise_filter(groups, shape, out_axis))


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a class of channels is stopped: ops of one reason, with what each has to say."""

    cls: int
    rank: int
    ops: dict[int, str]

    @property
    def reason(self) -> Reason:
        return _ORDER[self.rank]


class _Judge:
    """Says of each convolution what may be done with it."""

    def __init__(
        self,
        channels: Channels,
        classes: Classes,
        stopped: dict[int, list[Block]],
        rows: list[_Row],
        policy: Policy,
    ) -> None:
        self.channels = channels
        self.stopped = stopped
        self.policy = policy
        self.paths = Paths(channels, classes)
        self.obstacles: dict[int, _Obstacle] = {}
        self.length = _lengths(channels, classes)
        self.group = _groups(rows)
        self.uses = Counter(row.param for row in rows)
        self.added = {
            cls
            for what, layout, _ in channels.meets
            if what == "residual"
            for cls in _classes(classes, layout)
        }
        self.leader: dict[int, _Row] = {}
        for row in rows:
            if not row.depthwise and self._is_free(row):
                self.leader.setdefault(self.group[row.op], row)

    def decide(self, row: _Row) -> PruneDecision:
        """The decision on one convolution."""
        if self.policy == "seeds" and row.depthwise:
            detail = "depthwise: it has the channels of its input, and follows them"
            return self._make(
                row, "blocked", "depthwise", Site(row.op, self._type(row)), (), detail
            )
        if self._is_free(row):
            leader = self.leader.get(self.group[row.op])
            if leader is row:
                return self._make(row, "prunable")
            if leader is not None:
                return self._follower(row, leader)
        return self._blocked(row)

    def _is_free(self, row: _Row) -> bool:
        """seeds: nothing stops any channel; coupled: some channels are not stopped."""
        free = [cls for cls in row.classes if cls not in self.stopped]
        if self.policy == "seeds" and len(free) < len(row.classes):
            return False
        return sum(self.length[cls] for cls in free) > 1

    def _blocked(self, row: _Row) -> PruneDecision:
        obstacles = [self._obstacle(cls) for cls in row.classes if cls in self.stopped]
        if not row.classes:
            detail = "its filter is not a parameter of known size"
            return self._alone(row, "unsupported_op", detail)
        if not obstacles:
            detail = "its channels are tied into one, which must stay"
            return self._alone(row, "depthwise" if row.depthwise else "grouped", detail)
        worst = min(obstacles, key=lambda obstacle: obstacle.rank)
        path, at = self.paths.to_block(row.op, worst.cls, worst.ops)
        site = Site(at, self.channels.program.ops[at].type)
        return self._make(row, "blocked", worst.reason, site, path, worst.ops[at])

    def _obstacle(self, cls: int) -> _Obstacle:
        """What is said of a class that is stopped: the first reason of the order, once a class."""
        if cls not in self.obstacles:
            blocks = self.stopped[cls]
            rank = min(map(_rank, blocks))
            ops = {b.op: b.detail for b in reversed(blocks) if _rank(b) == rank}
            self.obstacles[cls] = _Obstacle(cls, rank, ops)
        return self.obstacles[cls]

    def _alone(self, row: _Row, reason: Reason, detail: str) -> PruneDecision:
        """Blocked by what the convolution itself is."""
        return self._make(row, "blocked", reason, Site(row.op, self._type(row)), (), detail)

    def _follower(self, row: _Row, leader: _Row) -> PruneDecision:
        reason: Reason = "residual"
        if row.depthwise:
            reason = "depthwise"
        elif self.uses[row.param] > 1:
            reason = "shared"
        elif row.groups > 1:
            reason = "grouped"
        elif self.added.isdisjoint(row.classes):
            reason = "shared"  # tied by nothing but a parameter that reads them all
        shared = [cls for cls in row.classes if cls in set(leader.classes)]
        path = self.paths.between(row.op, leader.op, shared[0]) if shared else ()
        site = Site(leader.op, self.channels.program.ops[leader.op].type)
        return self._make(row, "follower", reason, site, path, f"goes with {leader.param}")

    def _type(self, row: _Row) -> str:
        return self.channels.program.ops[row.op].type

    def _make(
        self,
        row: _Row,
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


def _rank(block: Block) -> int:
    return _ORDER.index(block.reason or "unsupported_op")


def _groups(rows: list[_Row]) -> dict[int, int]:
    """Number the sets of convolutions that share a class of channels, in program order."""
    parent = list(range(len(rows)))

    def find(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    owner: dict[int, int] = {}
    for i, row in enumerate(rows):
        for cls in row.classes:
            first = find(owner.setdefault(cls, i))
            here = find(i)
            parent[max(first, here)] = min(first, here)
    numbers: dict[int, int] = {}
    return {row.op: numbers.setdefault(find(i), len(numbers)) for i, row in enumerate(rows)}
