"""Ratios by what ``graphprobe sensitivity`` measured, for ``prune-regex --sensitivity``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from graphprobe.data.metric_names import LABELS
from graphprobe.errors import UsageError
from graphprobe.ir import Program
from graphprobe.pruning.decisions import find_prunable
from graphprobe.pruning.ratios import Limits, PruneChoice, open_groups

from ._output import say

if TYPE_CHECKING:
    from graphprobe.config.sensitivity import Measured


def by_sensitivity(
    path: Path, program: Program, policy: str | None, target: float | None, limits: Limits
) -> tuple[PruneChoice, str]:
    """The ratios that reach a target at the least loss, and the weights that they are for.

    Raises:
        UsageError: no target, or the file is for another program or policy.
    """
    from graphprobe.config.sensitivity import read_sensitivity
    from graphprobe.pruning.allocation import allocate, predicted

    if target is None:
        hint = "add --target-flops 0.5"
        raise UsageError("needs a target to choose for", where=f"--sensitivity {path}", hint=hint)
    measured = read_sensitivity(path)
    _check(measured.measured, path, program, policy)
    curves = {group.convs[0]: group.curve for group in measured.groups}
    found = find_prunable(program, measured.measured.policy)
    leaders = [group.leader.param for group in open_groups(found, limits)]
    missing = [name for name in leaders if not curves.get(name)]
    if missing:
        say(
            f"warning: {path} does not say what {len(missing)} of {len(leaders)} groups cost "
            f"(first: {missing[0]}); they stay whole"
        )
    choice = allocate(found, curves, target, limits)
    metric = LABELS.get(measured.measured.metric, measured.measured.metric)
    say(
        f"predicted to keep {predicted(choice, curves):.1%} of {metric} {measured.baseline:.4f} "
        "before fine-tuning"
    )
    return choice, measured.measured.weights


def _check(measured: Measured, path: Path, program: Program, policy: str | None) -> None:
    from graphprobe.ir.fingerprint import fingerprint

    if measured.fingerprint != fingerprint(program):
        hint = f"name {measured.program}, or measure this program"
        raise UsageError("was measured on another program", where=str(path), hint=hint)
    if policy not in (None, measured.policy):
        hint = "leave --policy out, or measure with it"
        raise UsageError(
            f"was measured with --policy {measured.policy}", where=str(path), hint=hint
        )
