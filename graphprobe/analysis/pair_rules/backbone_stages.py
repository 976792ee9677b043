"""The last feature of the backbone at each stride, for networks of any depth and width."""

from __future__ import annotations

from graphprobe.analysis._features import Feature, in_order
from graphprobe.analysis._rule import PairRule
from graphprobe.analysis._stages import stages
from graphprobe.analysis._view import View


def _find(view: View, _: View) -> list[Feature]:
    return in_order(last for _, last in stages(view))


RULE = PairRule(
    name="backbone_stages",
    level=10,
    about="the last feature of the backbones at each stride",
    find=_find,
    base=0.8,
    logits=False,
    heads=False,
)
