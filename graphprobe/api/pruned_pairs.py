"""The pairs of a student that is pruned first, by losses that its data allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphprobe.api.pairs import PairFindings, find_pairs
from graphprobe.api.run_programs import ref_of
from graphprobe.errors import AnswerIsNo
from graphprobe.programs import LoadedProgram

if TYPE_CHECKING:
    from graphprobe.config import PruneConfig
    from graphprobe.training.networks.source import Networks
    from graphprobe.training.reporting.progress import Log


def pairs_after_pruning(
    student: LoadedProgram,
    teacher: LoadedProgram,
    pruning: PruneConfig | None,
    networks: Networks,
    *,
    boxes: bool,
    log: Log,
) -> PairFindings:
    """The pairs of what a pruning leaves of a student.

    Args:
        student: whole.
        teacher: as it is.
        pruning: what is pruned, or None.
        networks: of the command.
        boxes: whether the data have any, which some losses want.
        log: takes a line for each pair, and for each that the pruning has made impossible.

    Raises:
        AnswerIsNo: nothing matches.
    """
    found = find_pairs(student, teacher)
    loss = None if boxes else boxless_loss(found, log)
    if loss is not None:
        found = find_pairs(student, teacher, loss=loss)
    if pruning is not None:
        found = _after_pruning(found, pruning, networks, log)
    if not found.pairs:
        raise AnswerIsNo("; ".join(found.warnings))
    for text in found.warnings:
        log(f"warning: {text}")
    for pair in found:
        log(f"pair: {pair.student} <- {pair.teacher}, {pair.role}: {pair.loss} x {pair.weight:g}")
    return found


def boxless_loss(found: PairFindings, log: Log) -> str | None:
    """The loss of all pairs where one of them would want boxes, which the data do not have."""
    from graphprobe.losses import find_loss
    from graphprobe.pairing.roles import FEATURE_LOSS

    wanting = dict.fromkeys(pair.loss for pair in found if find_loss(pair.loss).takes_targets)
    if not wanting:
        return None
    name, _ = FEATURE_LOSS
    log(f"pairs: {name} stands for {', '.join(wanting)}, since the data have no boxes")
    return name


def _after_pruning(
    whole: PairFindings, pruning: PruneConfig, networks: Networks, log: Log
) -> PairFindings:
    """The pairs of the smaller student: adapters have its channels, what no longer fits is out."""
    smaller = networks.source(ref_of(whole.student).program).after(pruning.prune)
    student = LoadedProgram(whole.student.source, smaller)
    found = find_pairs(student, whole.teacher, loss=whole.report.loss)
    left = {(pair.student, pair.teacher) for pair in found}
    for pair in whole:
        if (pair.student, pair.teacher) not in left:
            log(f"warning: {pair.student} <- {pair.teacher} does not fit after pruning; left out")
    return found
