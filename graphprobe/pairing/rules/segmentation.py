"""Segmentation logits: the last upsampling before the loss or the arg_max."""

from __future__ import annotations

from graphprobe.ops.kinds import is_upsampler
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.decoding_heads import network_heads
from graphprobe.pairing.features import Feature, in_order
from graphprobe.pairing.roles import SEGMENTATION, loss_of
from graphprobe.pairing.rule import PairRule


def _find(analysis: ProgramAnalysis, _: ProgramAnalysis) -> list[Feature]:
    heads = network_heads(analysis)
    return in_order(
        head._replace(source=f"last upsampling before {_reader(head)}")
        for head in heads
        if head.kind == SEGMENTATION and _is_upsampled(analysis, head)
    )


def _reader(head: Feature) -> str:
    """The op, or the labels, that a head's source names."""
    return head.source.rpartition(" of ")[2].replace("meets the labels", "the labels")


def _is_upsampled(analysis: ProgramAnalysis, head: Feature) -> bool:
    op = analysis.producer(analysis.flow.values[head.value])
    return op is not None and is_upsampler(op.type)


RULE = PairRule(
    name="segmentation",
    priority=55,
    about="the last upsampling before the loss or the arg_max",
    find=_find,
    loss_of=loss_of,
)
