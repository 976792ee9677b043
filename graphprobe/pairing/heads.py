"""The outputs of a network, whichever way its program shows them."""

from __future__ import annotations

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.decoding_heads import decoding_heads
from graphprobe.pairing.features import Feature
from graphprobe.pairing.loss_heads import loss_heads


def network_heads(analysis: ProgramAnalysis) -> list[Feature]:
    """What the losses of a program read; of a program without losses, what it decodes."""
    return loss_heads(analysis) or decoding_heads(analysis)
