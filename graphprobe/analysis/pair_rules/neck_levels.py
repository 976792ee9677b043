"""The levels of the pyramid that feed a detection head, of any detector."""

from __future__ import annotations

from graphprobe.analysis._features import Feature
from graphprobe.analysis._levels import neck_levels
from graphprobe.analysis._rule import PairRule
from graphprobe.analysis._view import View


def _find(view: View, _: View) -> list[Feature]:
    return neck_levels(view)


RULE = PairRule(
    name="neck_levels",
    level=20,
    about="the levels of the pyramid that feed a detection head",
    find=_find,
    base=0.9,
    logits=False,
    heads=False,
    levels=True,
)
