"""Turn findings into configs and scripts, as text: nothing is written to disk here."""

from graphprobe.emit.distill import distill_config, distill_notes, program_ref
from graphprobe.emit.emitter import (
    PairEmitter,
    PruneEmitter,
    find_pair_emitter,
    find_prune_emitter,
    pair_emitters,
    prune_emitters,
)
from graphprobe.emit.prune import prune_config
from graphprobe.emit.slim.outcome import slim_outcomes
from graphprobe.emit.train_settings import PHOTOS, exported_schedule, published_schedule

__all__ = [
    "PHOTOS",
    "PairEmitter",
    "PruneEmitter",
    "distill_config",
    "distill_notes",
    "exported_schedule",
    "find_pair_emitter",
    "find_prune_emitter",
    "pair_emitters",
    "program_ref",
    "prune_config",
    "prune_emitters",
    "published_schedule",
    "slim_outcomes",
]
