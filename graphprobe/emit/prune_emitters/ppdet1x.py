"""A command line of PaddleDetection 0.2 to 0.5, ``slim/prune/prune.py``."""

from __future__ import annotations

import shlex

from graphprobe.emit.emitter import PruneEmitter
from graphprobe.emit.prune_emitters._common import ratios_by_name
from graphprobe.pruning.ratios import PruneChoice


def _text(choice: PruneChoice, _: str) -> str:
    names = ",".join(choice.params)
    ratios = ",".join(f"{ratio:g}" for ratio in ratios_by_name(choice))
    options = [f"--pruned_params={names}", f"--pruned_ratios={ratios}"]
    return f"python slim/prune/prune.py -c CONFIG {shlex.join(options)}\n"


EMITTER = PruneEmitter("ppdet1x", "slim/prune/prune.py of PaddleDetection 0.x", _text)
