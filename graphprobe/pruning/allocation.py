"""How much of each group is pruned, from what was measured: the least predicted loss for a target.

What pruning a group leaves of the metric is taken to multiply: groups that lose l1, l2, ... when
each is pruned alone are predicted to keep (1-l1)(1-l2)... together. So the cost of pruning one is
-log(1-l), and costs add up. A sum of the plain losses would take a group that lost everything for
free to prune further, because it has nothing more to lose.

With costs that add up, the best choice takes, for some price, all that costs less than this price
a multiply-add (a Lagrange multiplier; H. Everett, Operations Research 11(3), 1963). That is: the
lower convex hull of every group's (multiply-adds saved, cost), its edges in the order of their
slope, as many as the target needs, and of the last ones only a part. Whether the target is reached
is counted on the whole network, where the savings of neighbours overlap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from graphprobe.errors import UsageError
from graphprobe.ops.work.count import Work, multiply_adds, weight_uses
from graphprobe.pruning.decisions import PruneFindings
from graphprobe.pruning.plan import PruneGroup
from graphprobe.pruning.ratios import (
    Limits,
    PruneChoice,
    check_numbers,
    open_choice,
    param_shapes,
    with_ratios,
    without_unpruned,
)

# (ratio, share of the metric that was lost), as measured.
Curve = Sequence[tuple[float, float]]
_GRID = 100
_STEPS = 1000
# What a pruning leaves is never predicted to be less, so that its cost stays finite.
_LEAST = 1e-3


@dataclass(frozen=True, slots=True)
class _Edge:
    """A step along a group's hull: `group` goes to `ratio` at `price` a multiply-add."""

    price: float
    group: int
    ratio: float


def allocate(
    found: PruneFindings, curves: Mapping[str, Curve], target: float, limits: Limits = Limits()
) -> PruneChoice:
    """Ratios that take a share of the multiply-adds away at the least predicted loss.

    Args:
        found: what may be pruned.
        curves: by the filter of a group's leader, ratios ascending. A group without one stays
            whole, and no group is pruned further than it was measured.
        target: the share of multiply-adds that shall go.
        limits: what the pruning must leave.

    Raises:
        UsageError: the target cannot be reached, or a number makes no sense.
    """
    check_numbers(limits, target_flops=target)
    choice = open_choice(found, limits)
    groups = tuple(group for group in choice.groups if curves.get(group.leader))
    choice = replace(choice, plan=replace(choice.plan, groups=groups))
    uses = weight_uses(found.channels.program, limits.image)
    edges = [
        edge
        for i, group in enumerate(groups)
        for edge in _edges(choice, i, rising(curves[group.leader]), uses)
    ]
    ratios = _take(choice, sorted(edges, key=lambda e: (e.price, e.group, e.ratio)), uses, target)
    return without_unpruned(with_ratios(choice, ratios))


def rising(curve: Curve) -> list[tuple[float, float]]:
    """The curve that never falls and is nearest to a measured one (least squares), from (0, 0).

    A figure of few images goes up and down; pruning more does not repair. This is the pool
    adjacent violators algorithm (Ayer et al., Ann. Math. Statist. 26(4), 1955).
    """
    pools: list[tuple[float, int]] = []
    for _, loss in curve:
        mean, count = min(max(loss, 0.0), 1.0), 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    losses = [mean for mean, count in pools for _ in range(count)]
    return [(0.0, 0.0), *zip((ratio for ratio, _ in curve), losses, strict=True)]


def predicted(choice: PruneChoice, curves: Mapping[str, Curve]) -> float:
    """The share of the metric that a choice is predicted to keep, before any fine-tuning."""
    return math.prod(
        1 - _loss(rising(curves[group.leader]), ratio)
        for group, ratio in zip(choice.groups, choice.ratios, strict=True)
    )


def _loss(curve: Curve, ratio: float) -> float:
    """Between its points a curve is straight."""
    for (r0, l0), (r1, l1) in zip(curve, curve[1:], strict=False):
        if ratio <= r1:
            return l0 + (l1 - l0) * (ratio - r0) / (r1 - r0)
    return curve[-1][1]


def _edges(choice: PruneChoice, group: int, curve: Curve, uses: Sequence[Work]) -> list[_Edge]:
    """The lower convex hull of a group's (saved, cost) over its ratios."""
    alone, shapes = choice.plan.only(group), param_shapes(choice.found)
    mine = _uses_of(alone.groups[0], uses)
    last = curve[-1][0]
    ratios = [i / _GRID for i in range(1, _GRID) if i / _GRID < last] + [last]
    hull = [(0, 0.0, 0.0)]
    for ratio in ratios:
        saved = multiply_adds(mine) - multiply_adds(
            mine, alone.with_ratios([ratio]).shapes_after(shapes)
        )
        cost = -math.log(max(1 - _loss(curve, ratio), _LEAST))
        if saved <= hull[-1][0]:
            continue  # rounding to whole channels: not a smaller network, or none yet
        while len(hull) > 1 and _price(hull[-2], (saved, cost)) <= _price(hull[-2], hull[-1]):
            hull.pop()
        hull.append((saved, cost, ratio))
    return [_Edge(_price(a, b), group, b[2]) for a, b in zip(hull, hull[1:], strict=False)]


def _price(a: Sequence[float], b: Sequence[float]) -> float:
    return (b[1] - a[1]) / (b[0] - a[0])


def _uses_of(group: PruneGroup, uses: Sequence[Work]) -> list[Work]:
    params = {name for part in group.parts for axis in part.axes for name in axis.params}
    return [use for use in uses if use.param in params]


def _take(
    choice: PruneChoice, edges: Sequence[_Edge], uses: Sequence[Work], target: float
) -> list[float]:
    """The cheapest edges up to the target; those of one price are taken evenly."""
    whole = multiply_adds(uses)

    def gone(ratios: Sequence[float]) -> float:
        pruned = without_unpruned(with_ratios(choice, ratios))
        return 1 - multiply_adds(uses, pruned.shapes) / max(whole, 1)

    ratios = [0.0] * len(choice.groups)
    for _, together in groupby(edges, key=lambda edge: edge.price):
        after = list(ratios)
        for edge in together:
            after[edge.group] = edge.ratio
        if gone(after) >= target:
            return _between(ratios, after, lambda found: gone(found) >= target)
        ratios = after
    raise UsageError(
        f"at most {gone(ratios):.1%} of the multiply-adds can go at the ratios that were measured",
        where=f"target_flops={target:g}",
        hint="ask for less, or measure at larger ratios",
    )


def _between(
    low: Sequence[float], high: Sequence[float], enough: Callable[[list[float]], bool]
) -> list[float]:
    """The first choice on the way from `low` to `high` that is enough, to a thousandth."""

    def at(step: int) -> list[float]:
        return [round(a + (b - a) * step / _STEPS, 6) for a, b in zip(low, high, strict=True)]

    bad, good = 0, _STEPS
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if enough(at(middle)) else (middle, good)
    return at(good)
