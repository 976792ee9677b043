"""The base of every pair rule: to add one, write a file in ``rules/`` that defines ``RULE``.

A rule looks at one program at a time and lists the tensors (features) that could be one side of
a pair. It does not match them: `graphprobe.pairing.matching` pairs the features of student and
teacher that have the same kind, part and stride, and gives each pair its score and evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.features import Feature
from graphprobe.pairing.roles import FEATURE_LOSS

Scope: TypeAlias = Literal["outputs", "dense_levels", "levels", "backbone"]
"""What the features of a rule are.

outputs: what the network predicts. Every channel has a meaning of its own (a class, an offset),
    so no adapter may change their number, and other channels are no pair.
dense_levels: pyramid levels of detectors that published work distils through their levels; taken
    before outputs are looked at.
levels: pyramid levels of any detector.
backbone: features inside the backbone.
"""

# The score of a pair of each scope about which nothing is in doubt (docs/scores.md).
BASE_SCORE: dict[Scope, float] = {
    "outputs": 1.0,
    "dense_levels": 1.0,
    "levels": 0.9,
    "backbone": 0.8,
}


class PairRule(NamedTuple):
    """A way to find features that stand for the same thing in two programs.

    Args:
        name: the name of the rule.
        priority: where several rules find pairs, the one of the highest priority is taken.
        about: one sentence for the help and the docs.
        find: ``find(program, other)`` lists the features of one program; `other` is the other
            side of the comparison.
        scope: what the features are.
        loss_of: a student's feature -> the loss that its pair gets unless the user names one,
            and the factor of that loss in published work (1.0 where there is none).
        parts: the parts of its pairs, for a loss that takes several; empty otherwise.
    """

    name: str
    priority: int
    about: str
    find: Callable[[ProgramAnalysis, ProgramAnalysis], list[Feature]]
    scope: Scope = "outputs"
    loss_of: Callable[[Feature], tuple[str, float]] = lambda feature: FEATURE_LOSS  # noqa: ARG005
    parts: tuple[str, ...] = ()

    @property
    def base_score(self) -> float:
        """The score of a pair about which nothing is in doubt."""
        return BASE_SCORE[self.scope]
