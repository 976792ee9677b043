"""Groups and ratios -> prune.yaml."""

from __future__ import annotations

from graphprobe.config import PruneConfig, PruneSection
from graphprobe.emit.distill import program_ref
from graphprobe.emit.train_settings import default_train_section
from graphprobe.ir import Program
from graphprobe.ops.kinds import kind_of
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import PruneChoice


def prune_config(
    choice: PruneChoice, program: Program, regex: str, *, weights: str | None = None
) -> PruneConfig:
    """The config that prunes the groups of a choice out of a network with such weights."""
    return PruneConfig(
        version=1,
        kind="prune",
        student=program_ref(program).model_copy(update={"weights": weights}),
        prune=PruneSection.of(choice.plan, regex=regex),
        train=default_train_section(program),
    )


# Through what PaddleSlim follows no channels, by the reason that policy seeds has.
_NOT_THROUGH = {
    "concat": "concat",
    "unsupported_op": "split, slice and reshape",
    "grouped": "groups",
    "shared": "shared filters",
}


def not_followed(choice: PruneChoice) -> dict[str, str]:
    """Parameters that PaddleSlim leaves as they are, in silence -> through what it prunes nothing.

    It prunes no fully connected layer for its own sake, either.
    """
    if choice.found.policy == "seeds":
        return {}
    alone = find_prunable(choice.found.channels.program, "seeds").decisions
    lost = {
        d.param: _NOT_THROUGH[d.reason]
        for d in reversed(alone)
        if d.status == "blocked" and d.reason in _NOT_THROUGH
    }
    lost |= {d.param: "fully connected layers" for d in choice.found.linears}
    return {name: lost[name] for name in choice.params if name in lost}


def miscounted(choice: PruneChoice) -> tuple[str, ...]:
    """Filters on which PaddleSlim 2.6 fails: a map of several cells is flattened behind them.

    A fully connected layer then has as many rows a channel as the map has cells, and PaddleSlim
    takes away one row a channel.
    """
    return tuple(
        dict.fromkeys(
            group.leader
            for group in choice.groups
            for part in group.parts
            for axis in part.axes
            if axis.role == "in" and axis.width > 1
        )
    )


def asserted(choice: PruneChoice) -> tuple[str, ...]:
    """Filters on which PaddleSlim 2.6 fails: their feature is the second operand of an elementwise
    op whose first has fewer axes, as a learned scale times the feature.
    """
    channels = choice.found.channels
    program, flow = channels.program, channels.flow
    hit: set[str] = set()
    for op in program.ops:
        x, y = flow.read(op, "X"), flow.read(op, "Y")
        if kind_of(op.type) != "elementwise" or x is None or y is None:
            continue
        layout = channels.layouts[y.id]
        ranks = [len(program.shape(value.name, value.block) or ()) for value in (x, y)]
        if layout is not None and ranks[0] < ranks[1]:
            hit.update(run.space[0] for run in layout.runs)
    return tuple(
        dict.fromkeys(group.leader for group in choice.groups if hit.intersection(group.layers))
    )
