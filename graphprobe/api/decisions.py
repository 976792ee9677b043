"""The prune decisions on a program, which several use cases read and one makes."""

from __future__ import annotations

from graphprobe.programs import LoadedProgram
from graphprobe.pruning import decisions as pruning
from graphprobe.pruning.decisions import PruneFindings


def prune_findings(loaded: LoadedProgram, policy: str) -> PruneFindings:
    """The decisions of a policy, made once for a loaded program.

    Raises:
        UsageError: the policy is not known.
    """
    return loaded.once(("prunable", policy), lambda: pruning.find_prunable(loaded.program, policy))
