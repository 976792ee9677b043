"""The schema of ``kind: prune``: what is pruned together, and how much of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from graphprobe.config._base import Count, Name, Positive, ProgramRef, Section
from graphprobe.config.train_section import TrainSection
from graphprobe.errors import Problem
from graphprobe.ir.findings import Policy
from graphprobe.pruning.amounts import kept_channels, ranges_text, read_ranges
from graphprobe.pruning.plan import (
    Criterion,
    PrunedAttr,
    PrunedAxis,
    PruneGroup,
    PrunePart,
    PrunePlan,
    Role,
)
from graphprobe.pruning.plan_problems import plan_problems

Ratio = Annotated[float, Field(ge=0, lt=1)]
_RANGES = r"^\d{1,12}(-\d{1,12})?(,\d{1,12}(-\d{1,12})?)*(/[1-9]\d{0,8})?$"


class CutConfig(Section):
    """The positions of a part's channels along one axis of some parameters."""

    params: tuple[Name, ...] = Field(min_length=1, strict=False)
    axis: Count
    size: Positive = Field(description="of the axis, before pruning")
    at: Annotated[str, Field(pattern=_RANGES)] = Field(
        description="positions in the order of the channels; /n: n positions a channel"
    )
    role: Role = "each"


class CountConfig(Section):
    """An integer of an op's attribute that counts channels."""

    op: Name = Field(description="type of the op")
    output: Name = Field(description="a variable that it writes")
    param: str | None = Field(default=None, description="a parameter that it alone reads")
    attr: Name
    value: int | Annotated[tuple[int, ...], Field(strict=False)] = Field(
        description="before pruning"
    )
    index: int | None = Field(default=None, description="which entry of a list")
    each: Positive = Field(default=1, description="what a channel counts")


class PartConfig(Section):
    """Channels that are ranked together."""

    channels: Positive
    cuts: tuple[CutConfig, ...] = Field(min_length=1, strict=False)
    counts: tuple[CountConfig, ...] = Field(default=(), strict=False)
    summed: bool = Field(
        default=False,
        description="two features are summed over them, as query and key are: a proof has zeros "
        "where they are made",
    )


class GroupConfig(Section):
    """Convolutions whose channels are pruned together."""

    group: Count
    convs: tuple[Name, ...] = Field(
        min_length=1, strict=False, description="their filters; the first one ranks the channels"
    )
    ratio: Ratio
    parts: tuple[PartConfig, ...] = Field(min_length=1, strict=False)


class PruneSection(Section):
    """What is pruned."""

    policy: Policy = "seeds"
    criterion: Criterion = Field(
        default="l1_norm",
        description="which channels are removed first: l1_norm, the smallest filters of the "
        "group's first convolution; group_l1_norm, the smallest mean over its convolutions",
    )
    engine: Literal["own", "paddleslim", "auto"] = Field(
        default="own",
        description="who prunes: own, graphprobe; paddleslim, PaddleSlim's Pruner, held to "
        "the same plan (policy seeds, l1_norm); auto, of older files, is own",
    )
    round_to: Positive = Field(default=1, description="channels that stay: a multiple of this")
    min_channels: Positive = Field(default=1, description="channels that stay: at least so many")
    regex: str = Field(default="", description="matches the first filter of each group, no other")
    groups: tuple[GroupConfig, ...] = Field(default=(), strict=False)

    def kept(self, group: GroupConfig) -> int:
        """How many channels of a group stay."""
        return sum(
            kept_channels(part.channels, group.ratio, self.round_to, self.min_channels)
            for part in group.parts
        )

    def plan(self) -> PrunePlan:
        """The plan that the section holds; ranges that cannot be read are empty in it."""
        return PrunePlan(
            tuple(_group(group) for group in self.groups),
            self.policy,
            self.criterion,
            self.round_to,
            self.min_channels,
        )

    @classmethod
    def of(cls, plan: PrunePlan, *, regex: str = "") -> PruneSection:
        """The section that holds a plan; ranking decides later which channels are removed."""
        return cls(
            policy=plan.policy,
            criterion=plan.criterion,
            round_to=plan.round_to,
            min_channels=plan.min_channels,
            regex=regex,
            groups=tuple(_group_config(group) for group in plan.groups),
        )

    def problems(self, path: str = "prune") -> list[Problem]:
        """What is wrong beyond the types: positions, doubled names, channels pruned twice."""
        unreadable = list(_unreadable(self, path))
        places = {problem.path for problem in unreadable}
        found = plan_problems(self.plan(), path)
        return [*unreadable, *(problem for problem in found if problem.path not in places)]


class PruneConfig(Section):
    """Prune one program, then train it."""

    version: Literal[1]
    kind: Literal["prune"]
    student: ProgramRef
    prune: PruneSection = PruneSection()
    train: TrainSection = TrainSection()


def _group(config: GroupConfig) -> PruneGroup:
    parts = (
        PrunePart(
            part.channels,
            tuple(map(_axis, part.cuts)),
            tuple(map(_attr, part.counts)),
            summed=part.summed,
        )
        for part in config.parts
    )
    return PruneGroup(config.group, config.convs, tuple(parts), config.ratio)


def _axis(config: CutConfig) -> PrunedAxis:
    ranges, width = read_ranges(config.at) or ([], 1)
    return PrunedAxis(config.params, config.axis, config.size, config.role, width, tuple(ranges))


def _attr(config: CountConfig) -> PrunedAttr:
    return PrunedAttr(
        config.op, config.output, config.param, config.attr, config.value, config.index, config.each
    )


def _group_config(group: PruneGroup) -> GroupConfig:
    parts = (
        PartConfig(
            channels=part.channels,
            cuts=tuple(map(_cut_config, part.axes)),
            counts=tuple(map(_count_config, part.attrs)),
            summed=part.summed,
        )
        for part in group.parts
    )
    return GroupConfig(
        group=group.number, convs=group.layers, ratio=group.ratio, parts=tuple(parts)
    )


def _cut_config(axis: PrunedAxis) -> CutConfig:
    return CutConfig(
        params=axis.params,
        axis=axis.axis,
        size=axis.size,
        at=ranges_text(axis.ranges, axis.width),
        role=axis.role,
    )


def _count_config(attr: PrunedAttr) -> CountConfig:
    return CountConfig(
        op=attr.op,
        output=attr.output,
        param=attr.param,
        attr=attr.attr,
        value=attr.value,
        index=attr.index,
        each=attr.each,
    )


def _unreadable(section: PruneSection, path: str) -> Iterator[Problem]:
    for i, group in enumerate(section.groups):
        for j, part in enumerate(group.parts):
            for k, cut in enumerate(part.cuts):
                if read_ranges(cut.at) is None:
                    where = f"{path}.groups[{i}].parts[{j}].cuts[{k}].at"
                    yield Problem(where, f"{cut.at} is no list of positions")
