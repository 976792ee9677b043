"""The levels of the pyramid of a detector whose heads are alike on all of them."""

from __future__ import annotations

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Feature
from graphprobe.pairing.levels import is_dense, neck_levels
from graphprobe.pairing.rule import PairRule


def _find(analysis: ProgramAnalysis, _: ProgramAnalysis) -> list[Feature]:
    """As RetinaNet or GFL: published work lets such detectors teach through their levels."""
    return neck_levels(analysis) if is_dense(analysis) else []


def _loss_of(_: Feature) -> tuple[str, float]:
    return "fgd", 1.0


RULE = PairRule(
    name="dense_levels",
    priority=56,
    about="the pyramid's levels of detectors whose heads are alike on all of them",
    find=_find,
    scope="dense_levels",
    loss_of=_loss_of,
)
