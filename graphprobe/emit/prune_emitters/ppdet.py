"""PaddleDetection's current form, which is that of 2.x."""

from __future__ import annotations

from graphprobe.emit.emitter import PruneEmitter
from graphprobe.emit.prune_emitters.ppdet2x import pruner_text

EMITTER = PruneEmitter("ppdet", "PaddleDetection's current form, ppdet2x", pruner_text)
