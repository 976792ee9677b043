"""``ChannelPrune`` of PaddleSlim's auto-compression."""

from __future__ import annotations

from graphprobe.emit.emitter import PruneEmitter
from graphprobe.emit.prune_emitters._common import ratios_by_name, yaml_text
from graphprobe.pruning.ratios import PruneChoice


def _text(choice: PruneChoice, _: str) -> str:
    ratios = ratios_by_name(choice)
    section = {
        "pruned_ratio": ratios[0] if len(set(ratios)) == 1 else ratios,
        "prune_params_name": choice.params,
        "criterion": "l1_norm",
    }
    return yaml_text({"ChannelPrune": section})


EMITTER = PruneEmitter("act", "ChannelPrune of PaddleSlim's auto-compression", _text)
