"""Rank the channels of a plan by the weights, and take them out of arrays. numpy only.

The ranked plan is plain data: it goes into checkpoints, and whatever builds the network again
(evaluate, infer, export, resume) replays it before it loads the smaller weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from graphprobe.config import CutConfig, PruneSection
from graphprobe.errors import ConfigError, Problem, did_you_mean
from graphprobe.pruning.amounts import units
from graphprobe.pruning.plan import PrunedAxis, PruneGroup, PrunePart, PrunePlan

Array: TypeAlias = npt.NDArray[Any]
Weights: TypeAlias = Callable[[str], Array]
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


def prune_array(plan: PrunePlan, name: str, value: Array) -> Array:
    """A parameter's value without the channels that go."""
    for axis, positions in plan.axes.get(name, {}).items():
        value = np.take(value, positions.kept, axis)
    return value


def make_plan(
    section: PruneSection, shapes: Shapes, weights: Weights, where: str = ""
) -> PrunePlan:
    """Read the plan of a config, hold it against the parameters, and rank its channels.

    Args:
        section: what is pruned, and how much.
        shapes: of every parameter that the program has.
        weights: gives a parameter's value.
        where: the config's file, for errors.

    Raises:
        ConfigError: all at once: unknown names, axes of another size (as after an earlier pruning),
            positions pruned twice; or nothing would be pruned.
    """
    plan = section.plan()
    problems = [*section.problems(), *_unknown(section, shapes), *_mismatches(section, shapes)]
    if problems:
        raise ConfigError(problems, where=where, hint="make the config again for this program")
    ranked = rank_channels(plan, weights)
    if not any(group.removed for group in ranked.groups):
        raise ConfigError(
            [Problem("prune.groups", "nothing would be pruned")],
            where=where,
            hint="raise the ratios, or lower round_to and min_channels",
        )
    return ranked


def rank_channels(plan: PrunePlan, weights: Weights) -> PrunePlan:
    """The plan with the channels that go: of each part, those that count least."""

    def ranked(group: PruneGroup, part: PrunePart) -> PrunePart:
        gone = part.channels - plan.kept(group, part)
        if not gone:
            return replace(part, removed=())
        order = np.argsort(channel_scores(group, part, plan.criterion, weights), kind="stable")
        return replace(part, removed=tuple(sorted(int(i) for i in order[:gone])))

    unranked = plan.with_ratios([group.ratio for group in plan.groups])
    groups = (
        replace(group, parts=tuple(ranked(group, part) for part in group.parts))
        for group in unranked.groups
    )
    return replace(plan, groups=tuple(groups))


def _unknown(section: PruneSection, shapes: Shapes) -> Iterator[Problem]:
    for i, group in enumerate(section.groups):
        for j, name in enumerate(group.convs):
            if name not in shapes:
                yield Problem(f"prune.groups[{i}].convs[{j}]", _no_parameter(name, shapes))


def _no_parameter(name: str, shapes: Shapes) -> str:
    hint = did_you_mean(name, shapes)
    return f"the program has no parameter {name}" + (f"; {hint}" if hint else "")


def _mismatches(section: PruneSection, shapes: Shapes) -> Iterator[Problem]:
    reported: set[tuple[str, int]] = set()
    for i, group in enumerate(section.groups):
        for j, part in enumerate(group.parts):
            for k, cut in enumerate(part.cuts):
                path = f"prune.groups[{i}].parts[{j}].cuts[{k}]"
                for name in cut.params:
                    message = _mismatch(cut, name, shapes)
                    if message and (name, cut.axis) not in reported:
                        reported.add((name, cut.axis))
                        yield Problem(path, message)


def _mismatch(cut: CutConfig, name: str, shapes: Shapes) -> str | None:
    shape = shapes.get(name)
    if shape is None:
        return _no_parameter(name, shapes)
    if cut.axis >= len(shape):
        return f"{name} has {len(shape)} axes, not {cut.axis + 1}"
    if shape[cut.axis] < cut.size:
        return f"axis {cut.axis} of {name} is {shape[cut.axis]}, not {cut.size}: pruned already?"
    if shape[cut.axis] > cut.size:
        return f"axis {cut.axis} of {name} is {shape[cut.axis]}, not {cut.size}"
    return None


def channel_scores(group: PruneGroup, part: PrunePart, criterion: str, weights: Weights) -> Array:
    """How much each channel of a part counts; the smallest go first.

    ``l1_norm``: the sum of the absolute weights of its filter in the group's first convolution,
    as PaddleSlim has it. ``group_l1_norm``: the mean over the group's convolutions, each divided
    by its own mean.

    Returns:
        [channels] numbers.
    """
    makes = [(name, axis) for axis in part.axes if axis.role == "out" for name in axis.params]
    layers = [(name, axis) for name, axis in makes if name in group.layers] or makes
    layers = layers or [(name, axis) for axis in part.axes for name in axis.params]
    order = {name: i for i, name in enumerate(group.layers)}
    names = sorted({name for name, _ in layers}, key=lambda n: order.get(n, len(order)))
    if criterion == "l1_norm":
        names = names[:1]
    total = np.zeros(part.channels)
    for name in names:
        score = sum(
            (_l1(weights(name), axis) for n, axis in layers if n == name), np.zeros(part.channels)
        )
        total += score / max(float(score.mean()), 1e-12) if len(names) > 1 else score
    return total


def _l1(value: Array, axis: PrunedAxis) -> Array:
    others = tuple(i for i in range(value.ndim) if i != axis.axis)
    sums = np.abs(value).sum(axis=others)
    firsts = np.fromiter(units(axis.ranges, axis.width), dtype=np.int64)
    score: Array = sums[firsts[:, None] + np.arange(axis.width)[None, :]].sum(axis=1)
    return score
