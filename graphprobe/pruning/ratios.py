"""How much of each group is pruned: one ratio for all, given or found for a target."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from graphprobe.errors import UsageError, did_you_mean
from graphprobe.ops.work.count import NetworkSize, multiply_adds, network_size, weight_uses
from graphprobe.pruning.decisions import PruneFindings
from graphprobe.pruning.groups import prune_groups
from graphprobe.pruning.plan import PruneGroup, PrunePlan
from graphprobe.pruning.pruned_program import pruned_program

DEFAULT_RATIO = 0.5
_STEPS = 1000


@dataclass(frozen=True)
class Limits:
    """What a pruning must leave.

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


@dataclass(frozen=True, repr=False)
class PruneChoice:
    """A plan with ratios, made from what was found.

    Args:
        found: what may be pruned.
        plan: the groups that are pruned, with their ratios.
        limits: what the plan leaves.
    """

    found: PruneFindings
    plan: PrunePlan
    limits: Limits

    @property
    def groups(self) -> tuple[PruneGroup, ...]:
        """The groups that are pruned."""
        return self.plan.groups

    @property
    def ratios(self) -> tuple[float, ...]:
        """The share of channels removed, group by group."""
        return tuple(group.ratio for group in self.plan.groups)

    @property
    def params(self) -> list[str]:
        """The weights of the groups' leaders, each once."""
        return list(dict.fromkeys(group.leader for group in self.groups))

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Parameters that the plan makes smaller, with their shapes after it."""
        return self.plan.shapes_after(param_shapes(self.found))

    @cached_property
    def before(self) -> NetworkSize:
        """The size of the network as it is."""
        return network_size(self.found.channels.program, self.limits.image)

    @cached_property
    def after(self) -> NetworkSize:
        """The size of the network once it is pruned."""
        return pruned_size(self)

    def __repr__(self) -> str:
        return f"<PruneChoice: {len(self.groups)} group(s), of {self.found!r}>"


def choose(
    found: PruneFindings,
    ratio: float | None = None,
    *,
    target_flops: float | None = None,
    limits: Limits = Limits(),
) -> PruneChoice:
    """Take the groups that can be pruned under some limits, all with one ratio.

    Args:
        found: what may be pruned.
        ratio: the share of the channels removed; 0.5 where there is no target either.
        target_flops: the share of multiply-adds that shall go; the ratio is found for it.
        limits: what the pruning must leave.

    Raises:
        UsageError: a ratio beside a target, a target that cannot be reached, or a number that
            makes no sense.
    """
    check_numbers(limits, ratio=ratio, target_flops=target_flops)
    choice = open_choice(found, limits)
    if target_flops is not None:
        ratio = _ratio_for(choice, target_flops)
    elif ratio is None:
        ratio = DEFAULT_RATIO
    return without_unpruned(with_ratios(choice, [ratio] * len(choice.groups)))


def open_choice(found: PruneFindings, limits: Limits) -> PruneChoice:
    """The groups that can be pruned and need not be kept, with ratio 0.

    Raises:
        UsageError: what is to be kept is no parameter.
    """
    _check_keep(found, limits.keep)
    groups = tuple(group for group in prune_groups(found) if not _is_kept(group, limits))
    plan = PrunePlan(
        groups, found.policy, round_to=limits.round_to, min_channels=limits.min_channels
    )
    return PruneChoice(found, plan, limits)


def with_ratios(choice: PruneChoice, ratios: Sequence[float]) -> PruneChoice:
    """The same groups with other ratios."""
    return replace(choice, plan=choice.plan.with_ratios(ratios))


def without_unpruned(choice: PruneChoice) -> PruneChoice:
    """The choice without the groups that lose no channel."""
    plan = choice.plan
    groups = (g for g in plan.groups if any(plan.kept(g, part) < part.channels for part in g.parts))
    return replace(choice, plan=replace(plan, groups=tuple(groups)))


def param_shapes(found: PruneFindings) -> dict[str, tuple[int, ...]]:
    """The shapes of a program's parameters."""
    return {var.name: var.shape or () for var in found.channels.program.parameters}


def check_share(name: str, value: float | None) -> None:
    """Refuse a share that is not above 0 and below 1; None is not given.

    Args:
        name: of the parameter that holds it.
        value: the share.

    Raises:
        UsageError: it is none.
    """
    is_number = isinstance(value, (int, float))
    if value is None or (is_number and 0 < value < 1):
        return
    text = f"{value:g}" if is_number else repr(value)
    message = f"must be above 0 and below 1, not {text}"
    raise UsageError(message, where=name, hint="0.5 takes half away")


def refuse_ratio(ratio: float | None, target: str) -> None:
    """Refuse one ratio for all groups beside what the ratios are found for; None is not given.

    Args:
        ratio: the share of the channels removed.
        target: the parameter that asks for something else, as ``target_flops=0.5``.

    Raises:
        UsageError: both are given.
    """
    if ratio is not None:
        message = f"stands beside {target}, for which the ratios are found"
        raise UsageError(message, where=f"ratio={ratio:g}", hint="leave out one of the two")


def check_numbers(
    limits: Limits, *, ratio: float | None = None, target_flops: float | None = None
) -> None:
    """Refuse numbers that make no sense, and a ratio beside a target.

    Raises:
        UsageError: it names the option.
    """
    check_share("ratio", ratio)
    check_share("target_flops", target_flops)
    if target_flops is not None:
        refuse_ratio(ratio, f"target_flops={target_flops:g}")
    for name, count in (("round_to", limits.round_to), ("min_channels", limits.min_channels)):
        if count < 1:
            raise UsageError(f"must be at least 1, not {count}", where=name, hint="give a count")


def _check_keep(found: PruneFindings, keep: re.Pattern[str] | None) -> None:
    names = [var.name for var in found.channels.program.parameters]
    if keep is not None and not any(keep.search(name) for name in names):
        hint = did_you_mean(keep.pattern, names) or "give a regular expression of their names"
        message = "matches no parameter of the program"
        raise UsageError(message, where=f"keep={keep.pattern!r}", hint=hint)


def _is_kept(group: PruneGroup, limits: Limits) -> bool:
    keep = limits.keep
    return keep is not None and any(keep.search(name) for name in group.layers)


def pruned_size(choice: PruneChoice) -> NetworkSize:
    """The size of the network that a choice leaves, counted on its own sizes."""
    program = pruned_program(choice.found.channels, choice.plan)
    return network_size(program, choice.limits.image)


def _ratio_for(choice: PruneChoice, target: float) -> float:
    """The smallest ratio, to a thousandth, that takes `target` of the multiply-adds away."""
    uses = weight_uses(choice.found.channels.program, choice.limits.image)
    total = multiply_adds(uses)
    shapes = param_shapes(choice.found)

    def at(step: int) -> PruneChoice:
        return with_ratios(choice, [step / _STEPS] * len(choice.groups))

    def by_weights(step: int) -> float:
        return 1 - multiply_adds(uses, at(step).plan.shapes_after(shapes)) / max(total, 1)

    def counted(step: int) -> float:
        return 1 - pruned_size(at(step)).flops / max(total, 1)

    low, high = 0, _STEPS - 1
    # Layers over H or W of a pruned map are used less often: their weights do not show that.
    gone = by_weights if by_weights(high) == counted(high) else counted
    if gone(high) < target:
        raise UsageError(
            f"at most {gone(high):.1%} of the multiply-adds can go",
            where=f"target_flops={target:g}",
            hint="ask for less, or use policy='coupled'",
        )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if gone(middle) >= target else (middle, high)
    return high / _STEPS
