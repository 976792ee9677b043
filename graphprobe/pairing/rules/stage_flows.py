"""Start and end of each backbone stage, for losses that compare how one leads to the other."""

from __future__ import annotations

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Feature, in_order
from graphprobe.pairing.rule import PairRule
from graphprobe.pairing.stages import stages

FLOW = "stage"


def _find(analysis: ProgramAnalysis, _: ProgramAnalysis) -> list[Feature]:
    found = [(start, end) for start, end in stages(analysis) if start.value != end.value]
    order = [end.value for end in in_order(end for _, end in found)]
    found.sort(key=lambda pair: order.index(pair[1].value))
    return [
        feature._replace(kind=FLOW, part=f"{i}.{part}", source=f"{part} of a backbone stage")
        for i, pair in enumerate(found)
        for part, feature in zip(("start", "end"), pair, strict=True)
    ]


def _loss_of(_: Feature) -> tuple[str, float]:
    return "fsp", 1.0


RULE = PairRule(
    name="stage_flows",
    priority=5,
    about="the start and the end of each backbone stage",
    find=_find,
    scope="backbone",
    loss_of=_loss_of,
    parts=("start", "end"),
)
