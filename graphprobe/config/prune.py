"""The schema of ``kind: prune``: what is cut together, and how much of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from graphprobe.config._base import Count, Name, Positive, ProgramRef, Section
from graphprobe.config.train_section import TrainSection
from graphprobe.errors import Problem
from graphprobe.pruning.amounts import kept_channels, read_ranges

Ratio = Annotated[float, Field(ge=0, lt=1)]
_RANGES = r"^\d{1,12}(-\d{1,12})?(,\d{1,12}(-\d{1,12})?)*(/[1-9]\d{0,8})?$"


class CutConfig(Section):
    """Where the channels of a part lie along one axis of some parameters."""

    params: tuple[Name, ...] = Field(min_length=1, strict=False)
    axis: Count
    size: Positive = Field(description="of the axis, before the cut")
    at: Annotated[str, Field(pattern=_RANGES)] = Field(
        description="positions in the order of the channels; /n: n positions a channel"
    )
    role: Literal["out", "in", "each"] = "each"


class CountConfig(Section):
    """An integer of an op's attribute that counts channels."""

    op: Name = Field(description="type of the op")
    output: Name = Field(description="a variable that it writes")
    param: str | None = Field(default=None, description="a parameter that it alone reads")
    attr: Name
    value: int | Annotated[tuple[int, ...], Field(strict=False)] = Field(
        description="before the cut"
    )
    index: int | None = Field(default=None, description="which entry of a list")
    each: Positive = Field(default=1, description="what a channel counts")


class PartConfig(Section):
    """Channels that are ranked together."""

    channels: Positive
    cuts: tuple[CutConfig, ...] = Field(min_length=1, strict=False)
    counts: tuple[CountConfig, ...] = Field(default=(), strict=False)


class GroupConfig(Section):
    """Convolutions whose channels are cut together."""

    group: Count
    convs: tuple[Name, ...] = Field(
        min_length=1, strict=False, description="their filters; the first one ranks the channels"
    )
    ratio: Ratio
    parts: tuple[PartConfig, ...] = Field(min_length=1, strict=False)


class PruneSection(Section):
    """What is cut."""

    policy: Literal["seeds", "coupled"] = "seeds"
    criterion: Literal["l1_norm", "group_l1_norm"] = Field(
        default="l1_norm",
        description="which channels go first: l1_norm, the smallest filters of the group's first "
        "convolution; group_l1_norm, the smallest mean over its convolutions",
    )
    engine: Literal["auto", "paddleslim", "own"] = Field(
        default="auto", description="who cuts; auto: PaddleSlim where it can"
    )
    round_to: Positive = Field(default=1, description="channels that stay: a multiple of this")
    min_channels: Positive = Field(default=1, description="channels that stay: at least so many")
    regex: str = Field(default="", description="matches the first filter of each group, no other")
    groups: tuple[GroupConfig, ...] = Field(default=(), strict=False)

    def kept(self, group: GroupConfig, part: PartConfig) -> int:
        """How many channels of a part stay."""
        return kept_channels(part.channels, group.ratio, self.round_to, self.min_channels)

    def problems(self, path: str = "prune") -> list[Problem]:
        """What is wrong beyond the types: positions, doubled names, channels cut twice."""
        return [*_doubled(self, path), *_positions(self, path)]


class PruneConfig(Section):
    """Cut channels of one program, then train it."""

    version: Literal[1]
    kind: Literal["prune"]
    student: ProgramRef
    prune: PruneSection = PruneSection()
    train: TrainSection = TrainSection()


def _doubled(section: PruneSection, path: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for i, group in enumerate(section.groups):
        for j, name in enumerate(group.convs):
            if name in seen:
                also = "named twice" if seen[name] == i else f"also in groups[{seen[name]}]"
                yield Problem(f"{path}.groups[{i}].convs[{j}]", f"{name} is {also}")
            seen.setdefault(name, i)


def _positions(section: PruneSection, path: str) -> Iterator[Problem]:
    taken: dict[tuple[str, int], list[tuple[int, int, str]]] = {}
    for i, group in enumerate(section.groups):
        for j, part in enumerate(group.parts):
            for k, cut in enumerate(part.cuts):
                where = f"{path}.groups[{i}].parts[{j}].cuts[{k}].at"
                found = read_ranges(cut.at)
                message = _wrong_positions(part, cut, found)
                if message:
                    yield Problem(where, message)
                for name in cut.params:
                    ends = [(a, a + n, where) for a, n in found[0]] if found else []
                    taken.setdefault((name, cut.axis), []).extend(ends)
    for (name, axis), stretches in taken.items():
        yield from _overlaps(f"axis {axis} of {name}", sorted(stretches))


def _wrong_positions(
    part: PartConfig, cut: CutConfig, found: tuple[list[tuple[int, int]], int] | None
) -> str | None:
    if found is None:
        return f"{cut.at} is no list of positions"
    stretches, width = found
    if sum(length for _, length in stretches) != part.channels * width:
        return f"{cut.at} does not hold {part.channels} channels"
    if max(first + length for first, length in stretches) > cut.size:
        return f"{cut.at} goes beyond the {cut.size} positions of the axis"
    return None


def _overlaps(what: str, stretches: list[tuple[int, int, str]]) -> Iterator[Problem]:
    """One problem for each stretch that begins before an earlier one has ended."""
    end = 0
    for first, last, where in stretches:
        if first < end:
            yield Problem(where, f"{what} is cut twice at {first}")
        end = max(end, last)
