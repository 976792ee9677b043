"""What a pair rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Feature


@dataclass(frozen=True, slots=True)
class PairRule:
    """A way to find features that stand for the same thing in two programs.

    Args:
        name: what ``--rule`` calls it.
        level: where several rules find pairs, the highest level is taken.
        about: one sentence for the help and the docs.
        find: the features of one side. The second argument is the other side.
        loss_of: kind of a feature -> the loss that its pairs get unless the user names one,
            and the factor of that loss in published work (1.0 where there is none).
        parts: the parts of its pairs, for a loss that takes several; empty otherwise.
        base: the score of a pair about which nothing is in doubt.
        logits: whether the channels have a meaning, so that no adapter may change their number.
        heads: whether it covers the outputs of a network (and not features inside it).
        levels: whether it finds the levels of a detector's pyramid.
        alone: whether it may be taken before outputs were looked at, though it finds none.
    """

    name: str
    level: int
    about: str
    find: Callable[[ProgramAnalysis, ProgramAnalysis], list[Feature]]
    loss_of: Callable[[str], tuple[str, float]] = lambda kind: ("l2", 1.0)  # noqa: ARG005
    parts: tuple[str, ...] = ()
    base: float = 1.0
    logits: bool = True
    heads: bool = True
    levels: bool = False
    alone: bool = False
