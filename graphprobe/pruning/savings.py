"""What each group saves where it alone is pruned: multiply-adds and bytes."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import NamedTuple

from graphprobe.ops.work.count import BYTES, MEGABYTE, count_work
from graphprobe.pruning.plan import PruneGroup
from graphprobe.pruning.ratios import PruneChoice, param_shapes


class GroupSaving(NamedTuple):
    """What goes with the channels of one group.

    Args:
        group: the group, with its ratio.
        kept: how many of its channels stay.
        flops: multiply-adds that go, for one image.
        params: numbers that go from the parameters and statistics.
        megabytes: that these take (2**20 bytes).
    """

    group: PruneGroup
    kept: int
    flops: int
    params: int
    megabytes: float


def group_savings(choice: PruneChoice) -> list[GroupSaving]:
    """What each group of a choice saves by itself, in its order. Linear in the program.

    Two groups that meet in one layer save less together than their sum: each is counted with
    all channels of the other there.
    """
    program = choice.found.channels.program
    positions: Counter[str] = Counter()
    for use in count_work(program, choice.limits.image).uses:
        positions[use.param] += use.positions
    shapes = param_shapes(choice.found)
    width = {var.name: BYTES.get(var.dtype, 4) for var in program.parameters}
    found = []
    for at, group in enumerate(choice.groups):
        flops = params = size = 0
        for name, after in choice.plan.only(at).shapes_after(shapes).items():
            gone = prod(shapes[name]) - prod(after)
            params += gone
            size += gone * width[name]
            flops += gone * positions[name]
        kept = sum(choice.plan.kept(group, part) for part in group.parts)
        found.append(GroupSaving(group, kept, flops, params, size / MEGABYTE))
    return found
