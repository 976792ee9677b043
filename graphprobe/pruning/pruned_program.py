"""The program that a plan leaves, as data: smaller parameters, attributes and declared sizes.

No weights are needed: of each part the first channels are removed, as many as planned. What is
counted of it is what the pruned network computes, products of features and layers over H or W of
a pruned map included.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from graphprobe.ir import Op, Program, Var
from graphprobe.ir.program import Attr
from graphprobe.ops.channels.layout import ChannelLayout, Space
from graphprobe.pruning.channels import Channels
from graphprobe.pruning.plan import AttrChange, PrunePlan


def pruned_program(channels: Channels, plan: PrunePlan) -> Program:
    """What the program of some channels is once it is pruned.

    Args:
        channels: where the channels of the program go.
        plan: of groups of these channels; it need not be ranked.
    """
    program, ranked = channels.program, _first_ones(plan)
    sizes = _pruned_sizes(channels, ranked)
    for name, shape in ranked.shapes_after(_shapes(program)).items():
        sizes[0, name] = shape
    changes: dict[str, list[AttrChange]] = defaultdict(list)
    for change in ranked.attr_updates:
        changes[change.op].append(change)
    return replace(
        program,
        blocks=tuple(
            replace(
                block,
                vars={
                    n: _resized(var, sizes.get((block.index, n))) for n, var in block.vars.items()
                },
                ops=tuple(_changed(op, changes.get(op.type, [])) for op in block.ops),
            )
            for block in program.blocks
        ),
    )


def _shapes(program: Program) -> dict[str, tuple[int, ...]]:
    return {var.name: var.shape or () for var in program.parameters}


def _first_ones(plan: PrunePlan) -> PrunePlan:
    """The plan with the first channels of each part chosen to go, where it is not ranked."""
    groups = (
        replace(
            group,
            parts=tuple(
                replace(part, removed=tuple(range(part.channels - plan.kept(group, part))))
                for part in group.parts
            ),
        )
        for group in plan.groups
    )
    return replace(plan, groups=tuple(groups))


def _pruned_sizes(channels: Channels, plan: PrunePlan) -> dict[tuple[int, str], tuple[int, ...]]:
    """(block, variable) -> its declared sizes, less what it carries of the channels that go."""
    gone: dict[Space, list[int]] = {
        (name, axis): sorted(set(range(kept.size)).difference(kept.kept))
        for name, axes in plan.axes.items()
        for axis, kept in axes.items()
    }
    known: dict[ChannelLayout, int] = {}
    found: dict[tuple[int, str], tuple[int, ...]] = {}
    for value in channels.flow.values:
        shape = channels.program.shape(value.name, value.block)
        for layout in channels.carried(value.id) if shape is not None else ():
            if layout not in known:
                known[layout] = _removed(layout, gone)
            shape = _less(shape or (), layout, known[layout])
            found[value.block, value.name] = shape
    return found


def _less(shape: tuple[int, ...], layout: ChannelLayout, removed: int) -> tuple[int, ...]:
    if not 0 <= layout.axis < len(shape) or shape[layout.axis] != layout.extent:
        return shape
    return (*shape[: layout.axis], layout.extent - removed, *shape[layout.axis + 1 :])


def _removed(layout: ChannelLayout, gone: Mapping[Space, list[int]]) -> int:
    """How many places of an axis go."""
    count = 0
    for space, start, length in layout.runs:
        lost = gone.get(space, [])
        count += bisect_left(lost, start + length) - bisect_left(lost, start)
    return count * layout.inner * layout.outer


def _resized(var: Var, shape: tuple[int, ...] | None) -> Var:
    return var if shape is None or shape == var.shape else replace(var, shape=shape)


def _changed(op: Op, changes: list[AttrChange]) -> Op:
    """An op whose attributes count what is left."""
    attrs: dict[str, Attr] = {}
    for change in changes:
        names = op.input_names() if change.param else op.output_names()
        if (change.param or change.output) in names:
            attrs[change.attr] = change.after
            if change.attr == "value":  # a constant that counts channels in a shape
                attrs["str_value"] = str(change.after)
            if change.attr == "sections" and "num" in op.attrs:
                attrs["num"] = 0
    return replace(op, attrs={**op.attrs, **attrs}) if attrs else op
