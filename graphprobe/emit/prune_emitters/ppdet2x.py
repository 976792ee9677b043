"""The ``Pruner`` YAML of PaddleDetection 2.x."""

from __future__ import annotations

from graphprobe.emit.emitter import PruneEmitter
from graphprobe.emit.prune_emitters._common import ratios_by_name, yaml_text
from graphprobe.pruning.ratios import PruneChoice


def pruner_text(choice: PruneChoice, _: str) -> str:
    """The whole YAML: names with a ratio each."""
    pruner = {
        "criterion": "l1_norm",
        "pruned_params": choice.params,
        "pruned_ratios": ratios_by_name(choice),
        "print_params": False,
    }
    return yaml_text({"slim": "Pruner", "Pruner": pruner})


EMITTER = PruneEmitter("ppdet2x", "the Pruner YAML of PaddleDetection 2.x", pruner_text)
