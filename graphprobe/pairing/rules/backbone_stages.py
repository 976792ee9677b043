"""The last feature of the backbone at each stride, for networks of any depth and width."""

from __future__ import annotations

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Feature, in_order
from graphprobe.pairing.rule import PairRule
from graphprobe.pairing.stages import stages


def _find(analysis: ProgramAnalysis, _: ProgramAnalysis) -> list[Feature]:
    return in_order(last for _, last in stages(analysis))


RULE = PairRule(
    name="backbone_stages",
    priority=10,
    about="the last feature of the backbones at each stride",
    find=_find,
    scope="backbone",
)
