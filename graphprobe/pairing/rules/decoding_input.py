"""What the decoding of an inference program reads, or what the program returns."""

from __future__ import annotations

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.decoding_heads import decoding_heads
from graphprobe.pairing.features import Feature, in_order
from graphprobe.pairing.roles import loss_of
from graphprobe.pairing.rule import PairRule


def _find(analysis: ProgramAnalysis, _: ProgramAnalysis) -> list[Feature]:
    return in_order(decoding_heads(analysis))


RULE = PairRule(
    name="decoding_input",
    priority=40,
    about="what yolo_box, non-maximum suppression, arg_max or softmax read",
    find=_find,
    loss_of=loss_of,
)
