"""Groups and ratios -> prune.yaml."""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.config import (
    CountConfig,
    CutConfig,
    GroupConfig,
    PartConfig,
    PruneConfig,
    PruneSection,
    config_text,
)
from graphprobe.emit.distill import program_ref
from graphprobe.emit.recipe import usual
from graphprobe.ir import Program
from graphprobe.pruning.amounts import ranges_text
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.groups import Count, Cut, Part, PruneGroup
from graphprobe.pruning.ratios import PruneChoice


def prune_config(
    choice: PruneChoice, program: Program, regex: str, *, weights: str | None = None
) -> PruneConfig:
    """The config that cuts the groups of a choice out of a network with such weights."""
    section = PruneSection(
        policy=choice.found.policy,
        round_to=choice.limits.round_to,
        min_channels=choice.limits.min_channels,
        regex=regex,
        groups=tuple(
            _group(group, ratio, program)
            for group, ratio in zip(choice.groups, choice.ratios, strict=True)
        ),
    )
    return PruneConfig(
        version=1,
        kind="prune",
        student=program_ref(program).model_copy(update={"weights": weights}),
        prune=section,
        train=usual(program),
    )


def prune_text(
    choice: PruneChoice,
    program: Program,
    regex: str,
    *,
    weights: str | None = None,
    file: str = "",
    notes: Sequence[str] = (),
) -> str:
    """The text of that config."""
    config = prune_config(choice, program, regex, weights=weights)
    return config_text(config, file=file, notes={"summary": notes})


def not_followed(choice: PruneChoice) -> tuple[str, ...]:
    """Filters that PaddleSlim leaves as they are, in silence: it does not cut through concat."""
    if choice.found.policy == "seeds":
        return ()
    alone = find_prunable(choice.found.channels.program, "seeds").decisions
    lost = {d.param for d in alone if d.status == "blocked" and d.reason != "residual"}
    return tuple(name for name in choice.params if name in lost)


def _group(group: PruneGroup, ratio: float, program: Program) -> GroupConfig:
    return GroupConfig(
        group=group.number,
        convs=tuple(dict.fromkeys(conv.param for conv in group.convs)),
        ratio=ratio,
        parts=tuple(_part(part, program) for part in group.parts),
    )


def _part(part: Part, program: Program) -> PartConfig:
    return PartConfig(
        channels=part.channels,
        cuts=tuple(_cut(cut) for cut in part.cuts),
        counts=tuple(_count(count, program) for count in part.counts),
    )


def _cut(cut: Cut) -> CutConfig:
    return CutConfig(
        params=cut.params,
        axis=cut.axis,
        size=cut.size,
        at=ranges_text(cut.stretches, cut.width),
        role=cut.role,
    )


def _count(count: Count, program: Program) -> CountConfig:
    op = program.ops[count.op]
    return CountConfig(
        op=op.type,
        output=next(op.output_names()),
        param=count.param,
        attr=count.attr,
        value=count.value,
        index=count.index,
        each=count.each,
    )
