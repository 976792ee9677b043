"""A `PrunePlan` as plain data, for checkpoints, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from graphprobe.errors import CheckpointError
from graphprobe.pruning.amounts import ranges_text, read_ranges, units
from graphprobe.pruning.plan import PrunedAttr, PrunedAxis, PruneGroup, PrunePart, PrunePlan, Ranges
from graphprobe.pruning.plan_problems import plan_problems


def plan_to_json(plan: PrunePlan) -> dict[str, Any]:
    """Plain data for a checkpoint."""
    return {
        "version": 2,
        "policy": plan.policy,
        "criterion": plan.criterion,
        "round_to": plan.round_to,
        "min_channels": plan.min_channels,
        "groups": [
            {
                "group": group.number,
                "layers": list(group.layers),
                "ratio": group.ratio,
                "parts": [_part_json(part) for part in group.parts],
            }
            for group in plan.groups
        ],
    }


def plan_from_json(document: Any, *, where: str = "") -> PrunePlan:
    """The inverse of `plan_to_json`; reads what checkpoints of version 0.1 hold, too.

    Raises:
        CheckpointError: the document is not a plan.
    """
    try:
        if "axes" in document:
            return _first_form(document)
        plan = PrunePlan(
            tuple(_group(group) for group in document["groups"]),
            document["policy"],
            document["criterion"],
            int(document["round_to"]),
            int(document["min_channels"]),
        )
        problems = [problem.message for problem in plan_problems(plan)]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        problems = [str(error)]
    if problems:
        message = f"its pruning plan is damaged ({problems[0]})"
        raise CheckpointError(message, where=where, hint="use another checkpoint")
    return plan


def _part_json(part: PrunePart) -> dict[str, Any]:
    removed = None if part.removed is None else ranges_text((i, 1) for i in part.removed)
    return {
        "channels": part.channels,
        "removed": removed,
        "axes": [
            [list(a.params), a.axis, a.size, a.role, ranges_text(a.ranges, a.width)]
            for a in part.axes
        ],
        **({"summed": True} if part.summed else {}),
        "attrs": [
            [a.op, a.output, a.param, a.attr, _plain(a.value), a.index, a.each] for a in part.attrs
        ],
    }


def _group(document: Any) -> PruneGroup:
    return PruneGroup(
        int(document["group"]),
        tuple(str(name) for name in document["layers"]),
        tuple(_part(part) for part in document["parts"]),
        float(document["ratio"]),
    )


def _part(document: Any) -> PrunePart:
    text = document["removed"]
    removed = None if text is None else tuple(units(_ranges(text)[0], 1)) if text else ()
    channels = int(document["channels"])
    if removed and removed[-1] >= channels:
        raise ValueError(f"no channel {removed[-1]} of {channels}")
    axes = []
    for params, axis, size, role, at in document["axes"]:
        ranges, width = _ranges(at)
        names = tuple(str(name) for name in params)
        axes.append(PrunedAxis(names, int(axis), int(size), role, width, ranges))
    attrs = tuple(
        PrunedAttr(op, output, param, attr, _value(value), index, int(each))
        for op, output, param, attr, value, index, each in document["attrs"]
    )
    return PrunePart(channels, tuple(axes), attrs, removed, document.get("summed") is True)


def _ranges(text: str) -> tuple[Ranges, int]:
    found = read_ranges(text)
    if found is None:
        raise ValueError(f"{text} is no list of positions")
    return tuple(found[0]), found[1]


def _plain(value: int | tuple[int, ...]) -> int | list[int]:
    return value if isinstance(value, int) else list(value)


def _value(value: Any) -> int | tuple[int, ...]:
    return tuple(map(int, value)) if isinstance(value, list) else int(value)


def _first_form(document: Any) -> PrunePlan:
    """Version 0.1 listed every axis and attribute that changes, and not what goes together.

    Each axis becomes a part of its own. The parts of a leader stand in its group, all others in
    the first group.
    """
    layers: dict[str, list[str]] = {str(name): [str(name)] for name in document["channels"]}
    for name, leader in document.get("firsts", {}).items():
        if name != leader:
            layers.setdefault(leader, [leader]).append(str(name))
    first = next(iter(layers), "")
    parts: dict[str, list[PrunePart]] = {leader: [] for leader in layers or {first: [first]}}
    for name, of_name in document["axes"].items():
        home = parts.get(name) if name in parts else parts[first]
        for axis, (size, kept) in of_name.items():
            removed = tuple(sorted(set(range(int(size))).difference(map(int, kept))))
            whole = ((0, int(size)),)
            where = PrunedAxis((str(name),), int(axis), int(size), "each", 1, whole)
            (home if home is not None else parts[first]).append(
                PrunePart(int(size), (where,), (), removed)
            )
    for attr in _first_attrs(document["attrs"]):
        parts[first].append(PrunePart(2, (), (attr,), (0,)))
    return PrunePlan(
        tuple(
            PruneGroup(i, tuple(layers.get(leader, [leader])), tuple(of_leader))
            for i, (leader, of_leader) in enumerate(parts.items())
        )
    )


def _first_attrs(rows: Sequence[Any]) -> Iterator[PrunedAttr]:
    for op, output, param, attr, before, after in rows:
        value = _value(before)
        if isinstance(value, int):
            yield PrunedAttr(op, output, param, attr, value, None, value - int(after))
            continue
        for i, (a, b) in enumerate(zip(value, after, strict=True)):
            if a != b:
                yield PrunedAttr(op, output, param, attr, value, i, a - int(b))
