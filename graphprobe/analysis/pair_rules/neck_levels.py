"""The levels of the pyramid that feed a detection head.

Of each stride, the last feature that all outputs of this stride have in common, before the first
layer whose weights are shared with other strides and before the layers that make the outputs.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush

from graphprobe.analysis._features import Feature, in_order, make_feature
from graphprobe.analysis._heads import BOX_HEAD, CLASS_HEAD, HEAD, YOLO, decoding_heads, loss_heads
from graphprobe.analysis._rule import PairRule
from graphprobe.analysis._trace import layer_of
from graphprobe.analysis._view import Stride, View
from graphprobe.ir import Op, Value
from graphprobe.ir.walk import reachable

LEVEL = "neck level"
_DETECTION = frozenset({YOLO, CLASS_HEAD, BOX_HEAD, HEAD})


def _find(view: View, _: View) -> list[Feature]:
    heads = [h for h in loss_heads(view) or decoding_heads(view) if h.kind in _DETECTION]
    levels: dict[Stride, list[Value]] = defaultdict(list)
    for head in heads:
        if head.stride is not None:
            levels[head.stride].append(view.flow.values[head.value])
    shared = _shared_layers(view)
    found = [
        make_feature(view, value, LEVEL, "feeds the detection head", stride=stride)
        for stride, values in levels.items()
        if (value := _common(view, values, shared)) is not None
    ]
    return in_order(found)


def _shared_layers(view: View) -> set[int]:
    """Ids of the layers whose weights other layers at another stride use too."""
    users: dict[str, set[tuple[Stride | None, int]]] = defaultdict(set)
    for op in view.layers:
        stride = next((view.stride(v) for v in view.flow.writes(op)), None)
        for value in view.flow.reads(op):
            if not view.fed[value.id]:
                users[value.name].add((stride, op.id))
    return {
        op for uses in users.values() if len({stride for stride, _ in uses}) > 1 for _, op in uses
    }


def _common(view: View, heads: list[Value], shared: set[int]) -> Value | None:
    """Walk back from the heads of one stride until one value is left that feeds them all."""
    stride = view.stride(heads[0])
    inside = reachable(
        (v.id for v in heads),
        lambda i: (j for j in view.behind(i) if view.stride(view.flow.values[j]) == stride),
    )
    left = {view.flow.values[i].producer for i in inside} & shared
    left |= {op.id for head in heads for op in _ending(view, head)}
    front: list[tuple[int, int]] = []
    seen: set[int] = set()
    for head in heads:
        _push(view, front, seen, head)
    while front and (left or len(front) > 1):
        at, _ = heappop(front)
        left.discard(-at)
        if at > 0:
            return None
        op = view.program.ops[-at]
        for value in view.reads(op):
            if value.id in inside:
                _push(view, front, seen, value)
        while front and front[0][0] == at:
            heappop(front)
    return view.flow.values[front[0][1]] if front else None


def _push(view: View, front: list[tuple[int, int]], seen: set[int], value: Value) -> None:
    """Values that the same op made count once."""
    producer = view.producer(value)
    if value.id not in seen:
        seen.add(value.id)
        heappush(front, (1 if producer is None else -producer.id, value.id))


def _ending(view: View, head: Value) -> list[Op]:
    """The layer that makes a head, with the ops that add its bias and norm."""
    op = view.producer(head)
    return [] if op is None else layer_of(view, op)


RULE = PairRule(
    name="neck_levels",
    level=20,
    about="the levels of the pyramid that feed a detection head",
    find=_find,
    base=0.9,
    logits=False,
    heads=False,
)
