"""The levels of the pyramid that feed a detection head, of any detector."""

from __future__ import annotations

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Feature
from graphprobe.pairing.levels import neck_levels
from graphprobe.pairing.rule import PairRule


def _find(analysis: ProgramAnalysis, _: ProgramAnalysis) -> list[Feature]:
    return neck_levels(analysis)


RULE = PairRule(
    name="neck_levels",
    priority=20,
    about="the levels of the pyramid that feed a detection head",
    find=_find,
    scope="levels",
)
