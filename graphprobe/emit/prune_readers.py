"""A choice of groups in the words of other tools.

Formats:
    * slim1x: the compressor's YAML of PaddleSlim 1.x (``contrib.slim``), UniformPruneStrategy.
    * ppdet1x: a command line of PaddleDetection 0.2 to 0.5, ``slim/prune/prune.py``.
    * ppdet, ppdet2x: the ``Pruner`` YAML of PaddleDetection 2.x.
    * act: ``ChannelPrune`` of PaddleSlim's auto-compression.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import yaml

from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import PruneChoice


def prune_reader_text(choice: PruneChoice, regex: str, form: str) -> str:
    """The text that another tool reads.

    Args:
        choice: groups and ratios.
        regex: what matches their first filters.
        form: a key of `READERS`.
    """
    return READERS[form](choice, regex)


def not_followed(choice: PruneChoice) -> tuple[str, ...]:
    """Filters that PaddleSlim leaves as they are, in silence: it does not cut through concat."""
    if choice.found.policy == "seeds":
        return ()
    alone = find_prunable(choice.found.channels.program, "seeds").decisions
    lost = {d.param for d in alone if d.status == "blocked" and d.reason != "residual"}
    return tuple(name for name in choice.params if name in lost)


def _slim1x(choice: PruneChoice, regex: str) -> str:
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
    return about + _yaml(document)


def _ppdet1x(choice: PruneChoice, _: str) -> str:
    names = ",".join(choice.params)
    ratios = ",".join(f"{ratio:g}" for ratio in _ratios(choice))
    options = [f"--pruned_params={names}", f"--pruned_ratios={ratios}"]
    return f"python slim/prune/prune.py -c CONFIG {shlex.join(options)}\n"


def _ppdet2x(choice: PruneChoice, _: str) -> str:
    pruner = {
        "criterion": "l1_norm",
        "pruned_params": choice.params,
        "pruned_ratios": _ratios(choice),
        "print_params": False,
    }
    return _yaml({"slim": "Pruner", "Pruner": pruner})


def _act(choice: PruneChoice, _: str) -> str:
    ratios = _ratios(choice)
    one = len(set(ratios)) == 1
    section = {
        "pruned_ratio": ratios[0] if one else ratios,
        "prune_params_name": choice.params,
        "criterion": "l1_norm",
    }
    return _yaml({"ChannelPrune": section})


def _ratios(choice: PruneChoice) -> list[float]:
    """One ratio a name, in the order of the names."""
    found = zip((group.leader.param for group in choice.groups), choice.ratios, strict=True)
    return list(dict(found).values())


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, width=10**9)


READERS: dict[str, Callable[[PruneChoice, str], str]] = {
    "slim1x": _slim1x,
    "ppdet1x": _ppdet1x,
    "ppdet2x": _ppdet2x,
    "ppdet": _ppdet2x,
    "act": _act,
}
