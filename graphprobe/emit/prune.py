"""Groups and ratios -> prune.yaml."""

from __future__ import annotations

from graphprobe.config import PruneConfig, PruneSection
from graphprobe.emit.distill import program_ref
from graphprobe.emit.train_settings import default_train_section
from graphprobe.ir import Program
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
