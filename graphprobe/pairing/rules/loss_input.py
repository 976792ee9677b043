"""What the losses of a train program read."""

from __future__ import annotations

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.decoding_heads import decoding_heads
from graphprobe.pairing.features import Feature, in_order
from graphprobe.pairing.loss_heads import loss_heads
from graphprobe.pairing.roles import loss_of
from graphprobe.pairing.rule import PairRule


def _find(analysis: ProgramAnalysis, other: ProgramAnalysis) -> list[Feature]:
    """Loss inputs; of a program without a loss beside one that has it, what it decodes."""
    heads = loss_heads(analysis)
    if not heads and loss_heads(other):
        heads = decoding_heads(analysis)
    return in_order(heads)


RULE = PairRule(
    name="loss_input",
    priority=50,
    about="what the losses of the programs read",
    find=_find,
    loss_of=loss_of,
)
