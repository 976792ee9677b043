"""Class scores and box distributions (GFL) of each level, for localization distillation."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.pairing.analysis import ProgramAnalysis, Stride
from graphprobe.pairing.decoding_heads import network_heads
from graphprobe.pairing.distribution import distributions
from graphprobe.pairing.features import Feature, in_order, make_feature
from graphprobe.pairing.roles import CLASS_HEAD, DISTRIBUTION
from graphprobe.pairing.rule import PairRule

DENSE = "dense head"
PARTS = ("class", "distribution")


def _find(analysis: ProgramAnalysis, other: ProgramAnalysis) -> list[Feature]:
    """Two features a level, from the coarsest stride to the finest."""
    heads = network_heads(analysis)
    if not distributions(analysis) or not distributions(other):
        return []
    levels = [h for h in in_order(heads) if h.kind == DISTRIBUTION and h.stride is not None]
    classes = {h.stride: h for h in heads if h.kind == CLASS_HEAD}
    return [
        part._replace(part=f"{number}.{part.part}")
        for number, level in enumerate(levels)
        if level.stride in classes
        for part in _parts(analysis, level, classes[level.stride])
    ]


def _parts(analysis: ProgramAnalysis, boxes: Feature, scores: Feature) -> Iterator[Feature]:
    stride: Stride | None = boxes.stride
    for part, head in zip(PARTS, (scores, boxes), strict=True):
        yield make_feature(
            analysis,
            analysis.flow.values[head.value],
            DENSE,
            head.source,
            part=part,
            stride=stride,
            classes=scores.channels if scores.channels > 0 else None,
        )


def _loss_of(_: Feature) -> tuple[str, float]:
    return "ld", 1.0


RULE = PairRule(
    name="distribution_heads",
    priority=58,
    about="class scores and box distributions of each level of a detector such as GFL",
    find=_find,
    loss_of=_loss_of,
    parts=PARTS,
)
