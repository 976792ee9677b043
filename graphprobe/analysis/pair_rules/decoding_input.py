"""What the decoding of an inference program reads, or what the program returns."""

from __future__ import annotations

from graphprobe.analysis._features import Feature, in_order
from graphprobe.analysis._heads import decoding_heads, loss_of
from graphprobe.analysis._rule import PairRule
from graphprobe.analysis._view import View


def _find(view: View, _: View) -> list[Feature]:
    return in_order(decoding_heads(view))


RULE = PairRule(
    name="decoding_input",
    level=40,
    about="what yolo_box, non-maximum suppression, arg_max or softmax read",
    find=_find,
    loss_of=loss_of,
)
