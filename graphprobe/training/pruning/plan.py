"""From a config's groups and the weights: which positions of which parameters stay. numpy only.

The plan is plain data: it goes into checkpoints, and whatever builds the network again (evaluate,
infer, export, resume) replays it before it loads the smaller weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from graphprobe.config import CountConfig, CutConfig, GroupConfig, PartConfig, PruneSection
from graphprobe.errors import CheckpointError, ConfigError, Problem, did_you_mean
from graphprobe.pruning.amounts import read_ranges, units

Array: TypeAlias = npt.NDArray[Any]
Weights: TypeAlias = Callable[[str], Array]
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class AxisCut:
    """What stays of one axis: `kept` positions, ascending, of `size`."""

    size: int
    kept: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AttrCut:
    """An attribute that counts channels, with its value before and after."""

    op: str
    output: str
    param: str | None
    attr: str
    before: int | tuple[int, ...]
    after: int | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CutPlan:
    """Everything that a cut changes.

    Args:
        axes: parameter -> axis -> what stays of it.
        attrs: attributes that change.
        channels: filter of each group's first convolution -> channels before and after.
        firsts: filter whose output channels are cut -> that of its group's first convolution.
    """

    axes: dict[str, dict[int, AxisCut]] = field(default_factory=dict)
    attrs: tuple[AttrCut, ...] = ()
    channels: dict[str, tuple[int, int]] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)

    def shape_after(self, name: str, shape: Iterable[int]) -> tuple[int, ...]:
        """A parameter's shape after the cut."""
        axes = self.axes.get(name, {})
        return tuple(len(axes[i].kept) if i in axes else s for i, s in enumerate(shape))

    def cut(self, name: str, value: Array) -> Array:
        """A parameter's value after the cut."""
        for axis, cut in self.axes.get(name, {}).items():
            value = np.take(value, cut.kept, axis)
        return value

    def to_json(self) -> dict[str, Any]:
        """Plain data for a checkpoint."""
        return {
            "axes": {
                name: {str(axis): [cut.size, list(cut.kept)] for axis, cut in axes.items()}
                for name, axes in self.axes.items()
            },
            "attrs": [
                [a.op, a.output, a.param, a.attr, _plain(a.before), _plain(a.after)]
                for a in self.attrs
            ],
            "channels": {name: list(pair) for name, pair in self.channels.items()},
            "firsts": self.firsts,
        }


def plan_from_json(document: Any, *, where: str = "") -> CutPlan:
    """The inverse of ``CutPlan.to_json``.

    Raises:
        CheckpointError: the document is not a plan.
    """
    try:
        axes = {
            str(name): {int(axis): AxisCut(int(size), tuple(map(int, kept)))
                        for axis, (size, kept) in cuts.items()}
            for name, cuts in document["axes"].items()
        }  # fmt: skip
        attrs = tuple(
            AttrCut(op, output, param, attr, _value(before), _value(after))
            for op, output, param, attr, before, after in document["attrs"]
        )
        channels = {str(n): (int(a), int(b)) for n, (a, b) in document["channels"].items()}
        # What was saved before this was recorded has none.
        firsts = {str(n): str(first) for n, first in document.get("firsts", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"its pruning plan is damaged ({error})", where=where, hint="use another checkpoint"
        ) from error
    return CutPlan(axes, attrs, channels, firsts)


def _plain(value: int | tuple[int, ...]) -> int | list[int]:
    return value if isinstance(value, int) else list(value)


def _value(value: Any) -> int | tuple[int, ...]:
    return tuple(map(int, value)) if isinstance(value, list) else int(value)


def make_plan(section: PruneSection, shapes: Shapes, weights: Weights, where: str = "") -> CutPlan:
    """Rank the channels of every part and say which stay.

    Args:
        section: what is cut, and how much.
        shapes: of every parameter that the program has.
        weights: gives a parameter's value.
        where: the config's file, for errors.

    Raises:
        ConfigError: all at once: unknown names, axes of another size (as after an earlier cut),
            positions cut twice; or nothing would be cut.
    """
    problems = [*section.problems(), *_unknown(section, shapes), *_mismatches(section, shapes)]
    if problems:
        raise ConfigError(problems, where=where, hint="make the config again for this program")
    maker = _Maker(section, weights)
    for group in section.groups:
        maker.add(group)
    if not maker.gone:
        raise ConfigError(
            [Problem("prune.groups", "nothing would be cut")],
            where=where,
            hint="raise the ratios, or lower round_to and min_channels",
        )
    return maker.plan()


def _unknown(section: PruneSection, shapes: Shapes) -> Iterator[Problem]:
    for i, group in enumerate(section.groups):
        for j, name in enumerate(group.convs):
            if name not in shapes:
                yield Problem(f"prune.groups[{i}].convs[{j}]", _no_parameter(name, shapes))


def _no_parameter(name: str, shapes: Shapes) -> str:
    hint = did_you_mean(name, shapes)
    return f"the program has no parameter {name}" + (f"; {hint}" if hint else "")


def _mismatches(section: PruneSection, shapes: Shapes) -> Iterator[Problem]:
    said: set[tuple[str, int]] = set()
    for i, group in enumerate(section.groups):
        for j, part in enumerate(group.parts):
            for k, cut in enumerate(part.cuts):
                path = f"prune.groups[{i}].parts[{j}].cuts[{k}]"
                for name in cut.params:
                    message = _mismatch(cut, name, shapes)
                    if message and (name, cut.axis) not in said:
                        said.add((name, cut.axis))
                        yield Problem(path, message)


def _mismatch(cut: CutConfig, name: str, shapes: Shapes) -> str | None:
    shape = shapes.get(name)
    if shape is None:
        return _no_parameter(name, shapes)
    if cut.axis >= len(shape):
        return f"{name} has {len(shape)} axes, not {cut.axis + 1}"
    if shape[cut.axis] < cut.size:
        return f"axis {cut.axis} of {name} is {shape[cut.axis]}, not {cut.size}: cut already?"
    if shape[cut.axis] > cut.size:
        return f"axis {cut.axis} of {name} is {shape[cut.axis]}, not {cut.size}"
    return None


class _Maker:
    """Collects what goes, part by part."""

    def __init__(self, section: PruneSection, weights: Weights) -> None:
        self.section = section
        self.weights = weights
        self.gone: dict[tuple[str, int, int], set[int]] = {}
        self.attrs: dict[tuple[str, str, str | None, str], tuple[CountConfig, list[int]]] = {}
        self.channels: dict[str, tuple[int, int]] = {}
        self.firsts: dict[str, str] = {}

    def add(self, group: GroupConfig) -> None:
        """Cut a group's parts."""
        before = after = 0
        for part in group.parts:
            kept = self.section.kept(group, part)
            before, after = before + part.channels, after + kept
            if kept < part.channels:
                self._cut(group, part, kept)
        self.channels[group.convs[0]] = (before, after)
        if after < before:
            self.firsts |= dict.fromkeys(group.convs, group.convs[0])

    def _cut(self, group: GroupConfig, part: PartConfig, kept: int) -> None:
        scores = channel_scores(group, part, self.section.criterion, self.weights)
        gone = np.argsort(scores, kind="stable")[: part.channels - kept]
        for cut in part.cuts:
            firsts, width = _units(cut)
            lost = {int(firsts[unit]) + i for unit in gone for i in range(width)}
            for name in cut.params:
                self.gone.setdefault((name, cut.axis, cut.size), set()).update(lost)
        for count in part.counts:
            self._count(count, len(gone))

    def _count(self, count: CountConfig, gone: int) -> None:
        key = (count.op, count.output, count.param, count.attr)
        value = [count.value] if isinstance(count.value, int) else list(count.value)
        _, now = self.attrs.setdefault(key, (count, value))
        now[count.index or 0] -= count.each * gone

    def plan(self) -> CutPlan:
        """What was collected."""
        axes: dict[str, dict[int, AxisCut]] = {}
        for (name, axis, size), gone in self.gone.items():
            kept = tuple(i for i in range(size) if i not in gone)
            axes.setdefault(name, {})[axis] = AxisCut(size, kept)
        attrs = [
            AttrCut(*key, count.value, now[0] if isinstance(count.value, int) else tuple(now))
            for key, (count, now) in self.attrs.items()
        ]
        return CutPlan(axes, tuple(attrs), self.channels, self.firsts)


def channel_scores(group: GroupConfig, part: PartConfig, criterion: str, weights: Weights) -> Array:
    """How much each channel of a part counts; the smallest go first.

    ``l1_norm``: the sum of the absolute weights of its filter in the group's first convolution,
    as PaddleSlim has it. ``group_l1_norm``: the mean over the group's convolutions, each divided
    by its own mean.

    Returns:
        [channels] numbers.
    """
    makes = [(name, cut) for cut in part.cuts if cut.role == "out" for name in cut.params]
    convs = [(n, c) for n, c in makes if n in group.convs] or makes
    convs = convs or [(name, cut) for cut in part.cuts for name in cut.params]
    order = {name: i for i, name in enumerate(group.convs)}
    names = sorted({name for name, _ in convs}, key=lambda n: order.get(n, len(order)))
    if criterion == "l1_norm":
        names = names[:1]
    total = np.zeros(part.channels)
    for name in names:
        score = sum(
            (_l1(weights(name), cut) for n, cut in convs if n == name), np.zeros(part.channels)
        )
        total += score / max(float(score.mean()), 1e-12) if len(names) > 1 else score
    return total


def _l1(value: Array, cut: CutConfig) -> Array:
    others = tuple(i for i in range(value.ndim) if i != cut.axis)
    sums = np.abs(value).sum(axis=others)
    firsts, width = _units(cut)
    score: Array = sums[firsts[:, None] + np.arange(width)[None, :]].sum(axis=1)
    return score


def _units(cut: CutConfig) -> tuple[Array, int]:
    """The first position of each unit, and how many positions it takes."""
    found = read_ranges(cut.at)
    stretches, width = found if found is not None else ([], 1)
    return np.fromiter(units(stretches, width), dtype=np.int64), width
