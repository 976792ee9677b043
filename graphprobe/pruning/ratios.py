"""How much of each group is cut: one ratio for all, or the ratio that reaches a share of FLOPs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from graphprobe.errors import UsageError
from graphprobe.ops.work import NetworkSize, multiply_adds, network_size, weight_uses
from graphprobe.pruning.amounts import kept_channels
from graphprobe.pruning.decisions import PruneFindings
from graphprobe.pruning.groups import PruneGroup, prune_groups

_STEPS = 1000


@dataclass(frozen=True)
class Limits:
    """What a cut must leave.

    Args:
        keep: groups with a filter of such a name stay whole; None: all may go.
        round_to: channels that stay are a multiple of this.
        min_channels: at least so many stay.
        image: H and W where the program leaves them open.
    """

    keep: re.Pattern[str] | None = None
    round_to: int = 1
    min_channels: int = 1
    image: tuple[int, int] | None = None


@dataclass(frozen=True)
class PruneChoice:
    """Groups with their ratios.

    Args:
        found: what may be cut.
        groups: the groups that are cut.
        ratios: the share of channels that goes, group by group.
        limits: what the cut leaves.
    """

    found: PruneFindings
    groups: tuple[PruneGroup, ...]
    ratios: tuple[float, ...]
    limits: Limits

    @property
    def params(self) -> list[str]:
        """The filters of the groups' leaders, each once."""
        return list(dict.fromkeys(group.leader.param for group in self.groups))

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Parameters that the cut makes smaller, with their shapes after it."""
        return cut_shapes(self, self.ratios)

    @cached_property
    def before(self) -> NetworkSize:
        """The size of the network as it is."""
        return network_size(self.found.channels.program, self.limits.image)

    @cached_property
    def after(self) -> NetworkSize:
        """The size of the network after the cut."""
        return network_size(self.found.channels.program, self.limits.image, self.shapes)


def choose(
    found: PruneFindings,
    ratio: float = 0.5,
    *,
    target_flops: float | None = None,
    limits: Limits = Limits(),
) -> PruneChoice:
    """Take the groups that can be cut under some limits, all with one ratio.

    Args:
        found: what may be cut.
        ratio: the share of the channels that goes; taken where `target_flops` is None.
        target_flops: the share of multiply-adds that shall go; the ratio is found for it.
        limits: what the cut must leave.

    Raises:
        UsageError: the target cannot be reached, or a number makes no sense.
    """
    check_numbers(limits, ratio=ratio, target_flops=target_flops)
    groups = open_groups(found, limits)
    if target_flops is not None:
        ratio = _ratio_for(PruneChoice(found, groups, (), limits), target_flops)
    return without_uncut(PruneChoice(found, groups, (ratio,) * len(groups), limits))


def open_groups(found: PruneFindings, limits: Limits) -> tuple[PruneGroup, ...]:
    """The groups that can be cut and need not be kept."""
    return tuple(group for group in prune_groups(found) if not _is_kept(group, limits))


def without_uncut(choice: PruneChoice) -> PruneChoice:
    """The choice without the groups that lose no channel."""
    rows = [
        (group, ratio)
        for group, ratio in zip(choice.groups, choice.ratios, strict=True)
        if ratio > 0 and _shrinks(group, ratio, choice.limits)
    ]
    return replace(
        choice, groups=tuple(group for group, _ in rows), ratios=tuple(ratio for _, ratio in rows)
    )


def check_numbers(
    limits: Limits, *, ratio: float | None = None, target_flops: float | None = None
) -> None:
    """Refuse numbers that make no sense.

    Raises:
        UsageError: it names the option.
    """
    for name, value in (("--ratio", ratio), ("--target-flops", target_flops)):
        if value is not None and not 0 < value < 1:
            raise UsageError(f"must be above 0 and below 1, not {value:g}", where=name,
                             hint="0.5 takes half away")  # fmt: skip
    for name, count in (("--round-to", limits.round_to), ("--min-channels", limits.min_channels)):
        if count < 1:
            raise UsageError(f"must be at least 1, not {count}", where=name, hint="give a count")


def _is_kept(group: PruneGroup, limits: Limits) -> bool:
    keep = limits.keep
    return keep is not None and any(keep.search(conv.param) for conv in group.convs)


def _shrinks(group: PruneGroup, ratio: float, limits: Limits) -> bool:
    """Whether any channel goes."""
    return any(_kept(part.channels, ratio, limits) < part.channels for part in group.parts)


def _kept(channels: int, ratio: float, limits: Limits) -> int:
    return kept_channels(channels, ratio, limits.round_to, limits.min_channels)


def cut_shapes(choice: PruneChoice, ratios: Sequence[float]) -> dict[str, tuple[int, ...]]:
    """Shapes of the parameters that shrink."""
    gone: dict[str, dict[int, int]] = {}
    for group, ratio in zip(choice.groups, ratios, strict=True):
        for part in group.parts:
            less = part.channels - _kept(part.channels, ratio, choice.limits)
            for cut in part.cuts if less else ():
                for name in cut.params:
                    axes = gone.setdefault(name, {})
                    axes[cut.axis] = axes.get(cut.axis, 0) + less * cut.width
    program = choice.found.channels.program
    return {
        name: tuple(size - axes.get(axis, 0) for axis, size in enumerate(program.shape(name) or ()))
        for name, axes in gone.items()
    }


def _ratio_for(choice: PruneChoice, target: float) -> float:
    """The smallest ratio, to a thousandth, that takes `target` of the multiply-adds away."""
    uses = weight_uses(choice.found.channels.program, choice.limits.image)
    total = multiply_adds(uses)

    def gone(step: int) -> float:
        ratios = [step / _STEPS] * len(choice.groups)
        return 1 - multiply_adds(uses, cut_shapes(choice, ratios)) / max(total, 1)

    low, high = 0, _STEPS - 1
    if gone(high) < target:
        raise UsageError(
            f"at most {gone(high):.1%} of the multiply-adds can go",
            where=f"--target-flops {target:g}",
            hint="ask for less, or use --policy coupled",
        )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if gone(middle) >= target else (middle, high)
    return high / _STEPS
