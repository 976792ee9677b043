"""The compressor's YAML of PaddleSlim 1.x (``contrib.slim``), UniformPruneStrategy."""

from __future__ import annotations

from graphprobe.emit.emitter import PruneEmitter
from graphprobe.emit.prune_emitters._common import yaml_text
from graphprobe.pruning.ratios import PruneChoice


def _text(choice: PruneChoice, regex: str) -> str:
    removed = 1 - choice.after.flops / max(choice.before.flops, 1)
    document = {
        "version": 1.0,
        "pruners": {
            "pruner_1": {
                "class": "StructurePruner",
                "pruning_axis": {"*": 0},
                "criterions": {"*": "l1_norm"},
            }
        },
        "strategies": {
            "uniform_pruning_strategy": {
                "class": "UniformPruneStrategy",
                "pruner": "pruner_1",
                "start_epoch": 0,
                "target_ratio": round(removed, 4),
                "pruned_params": regex,
            }
        },
        "compressor": {"strategies": ["uniform_pruning_strategy"]},
    }
    about = "# PaddleSlim 1.x; target_ratio is the share of FLOPs, one ratio for all filters.\n"
    return about + yaml_text(document)


EMITTER = PruneEmitter("slim1x", "the compressor of PaddleSlim 1.x", _text, one_ratio=True)
