"""What contradicts itself in a pruning plan that was read from a file."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.errors import Problem
from graphprobe.pruning.amounts import ranges_text
from graphprobe.pruning.plan import PrunedAxis, PrunePart, PrunePlan


def plan_problems(plan: PrunePlan, path: str = "prune") -> list[Problem]:
    """Lists of positions that do not fit, doubled names, channels that are pruned twice.

    Args:
        plan: as it was read.
        path: of the plan in its file, for the places of the problems.
    """
    return [*_doubled(plan, path), *_wrong_positions(plan, path)]


def _doubled(plan: PrunePlan, path: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for i, group in enumerate(plan.groups):
        for j, name in enumerate(group.layers):
            if name in seen:
                also = "named twice" if seen[name] == i else f"also in groups[{seen[name]}]"
                yield Problem(f"{path}.groups[{i}].convs[{j}]", f"{name} is {also}")
            seen.setdefault(name, i)


def _wrong_positions(plan: PrunePlan, path: str) -> Iterator[Problem]:
    taken: dict[tuple[str, int], list[tuple[int, int, str]]] = {}
    for i, group in enumerate(plan.groups):
        for j, part in enumerate(group.parts):
            for k, axis in enumerate(part.axes):
                where = f"{path}.groups[{i}].parts[{j}].cuts[{k}].at"
                message = _wrong_axis(part, axis)
                if message:
                    yield Problem(where, message)
                for name in axis.params:
                    ends = [(a, a + n, where) for a, n in axis.ranges]
                    taken.setdefault((name, axis.axis), []).extend(ends)
    for (name, at), ranges in taken.items():
        yield from _overlaps(f"axis {at} of {name}", sorted(ranges))


def _wrong_axis(part: PrunePart, axis: PrunedAxis) -> str | None:
    text = ranges_text(axis.ranges, axis.width)
    if sum(length for _, length in axis.ranges) != part.channels * axis.width:
        return f"{text} does not hold {part.channels} channels"
    if max(first + length for first, length in axis.ranges) > axis.size:
        return f"{text} goes beyond the {axis.size} positions of the axis"
    return None


def _overlaps(what: str, ranges: list[tuple[int, int, str]]) -> Iterator[Problem]:
    """One problem for each range that begins before an earlier one has ended."""
    end = 0
    for first, last, where in ranges:
        if first < end:
            yield Problem(where, f"{what} is pruned twice at {first}")
        end = max(end, last)
