"""Segmentation logits: the last upsampling before the loss or the arg_max."""

from __future__ import annotations

from dataclasses import replace

from graphprobe.ops.kinds import UPSAMPLERS
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Feature, in_order
from graphprobe.pairing.heads import SEGMENTATION, decoding_heads, loss_heads, loss_of
from graphprobe.pairing.rule import PairRule


def _find(view: ProgramAnalysis, _: ProgramAnalysis) -> list[Feature]:
    heads = loss_heads(view) or decoding_heads(view)
    return in_order(
        replace(head, source=f"last upsampling before {head.source.rpartition(' of ')[2]}")
        for head in heads
        if head.kind == SEGMENTATION and _is_upsampled(view, head)
    )


def _is_upsampled(view: ProgramAnalysis, head: Feature) -> bool:
    op = view.producer(view.flow.values[head.value])
    return op is not None and op.type in UPSAMPLERS


RULE = PairRule(
    name="segmentation",
    level=55,
    about="the last upsampling before the loss or the arg_max",
    find=_find,
    loss_of=loss_of,
)
