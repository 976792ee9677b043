"""The parts of a YOLO head that a loss spelled out in the program reads one by one."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Feature, in_order, make_feature
from graphprobe.pairing.loss_heads import loss_heads
from graphprobe.pairing.roles import YOLO
from graphprobe.pairing.rule import PairRule
from graphprobe.pairing.yolo_split import PARTS, chosen, split_of


def _find(analysis: ProgramAnalysis, _: ProgramAnalysis) -> list[Feature]:
    """Six features a head, from the coarsest stride to the finest; heads left whole have none."""
    heads = [head for head in loss_heads(analysis) if head.kind == YOLO]
    whole = [parts for head in in_order(heads) if len(parts := list(_parts(analysis, head))) == 6]
    return [
        part._replace(part=f"{scale}.{part.part}")
        for scale, parts in enumerate(whole)
        for part in parts
    ]


def _parts(analysis: ProgramAnalysis, head: Feature) -> Iterator[Feature]:
    """The six parts of one head, in order; fewer where the program does not take it apart."""
    split = split_of(analysis, analysis.flow.values[head.value])
    if split is None:
        return
    for part, value in chosen(analysis, split).items():
        yield make_feature(
            analysis,
            value,
            YOLO,
            f"{part} channels of {head.source}",
            key=head.key,
            part=part,
            stride=head.stride,
            classes=split.classes,
        )


def _loss_of(_: Feature) -> tuple[str, float]:
    return "yolo_fine_grained", 1000.0


RULE = PairRule(
    name="yolo_parts",
    priority=60,
    about="x, y, w, h, objectness and class of each YOLO head that the program takes apart",
    find=_find,
    loss_of=_loss_of,
    parts=PARTS,
)
