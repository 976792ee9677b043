"""Turn what analysis found into configs and scripts; pure, nothing is written here."""

from graphprobe.emit.distill import distill_config, distill_notes, distill_text, program_ref
from graphprobe.emit.emitter import (
    PairEmitter,
    PruneEmitter,
    find_pair_emitter,
    find_prune_emitter,
    pair_emitters,
    prune_emitters,
)
from graphprobe.emit.prune import not_followed, prune_config, prune_text
from graphprobe.emit.recipe import recipe

__all__ = [
    "PairEmitter",
    "PruneEmitter",
    "distill_config",
    "distill_notes",
    "distill_text",
    "find_pair_emitter",
    "find_prune_emitter",
    "not_followed",
    "pair_emitters",
    "program_ref",
    "prune_config",
    "prune_emitters",
    "prune_text",
    "recipe",
]
