"""The prune decisions on a program, which several use cases read and one makes."""

from __future__ import annotations

from graphprobe.collector import collector_paused
from graphprobe.programs import LoadedProgram
from graphprobe.pruning import decisions as pruning
from graphprobe.pruning.decisions import PruneFindings
from graphprobe.waits import waiting_for


@collector_paused()
def prune_findings(loaded: LoadedProgram, policy: str) -> PruneFindings:
    """The decisions of a policy, made once for a loaded program.

    Raises:
        UsageError: the policy is not known.
    """
    with waiting_for("finding what can be pruned"):
        return loaded.once(
            ("prunable", policy), lambda: pruning.find_prunable(loaded.program, policy)
        )
