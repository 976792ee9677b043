"""The levels of the pyramid that feed a detection head."""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush

from graphprobe.ir import Op, Value
from graphprobe.ir.dataflow import reachable
from graphprobe.pairing.analysis import ProgramAnalysis, Stride
from graphprobe.pairing.distribution import distributions
from graphprobe.pairing.features import Feature, in_order, make_feature
from graphprobe.pairing.heads import (
    BOX_HEAD,
    CLASS_HEAD,
    DISTRIBUTION,
    HEAD,
    YOLO,
    decoding_heads,
    loss_heads,
)
from graphprobe.pairing.trace import layer_of

LEVEL = "neck level"
_DETECTION = frozenset({YOLO, CLASS_HEAD, BOX_HEAD, DISTRIBUTION, HEAD})
Heads = dict[Stride, list[Value]]


def neck_levels(view: ProgramAnalysis) -> list[Feature]:
    """Of each stride the last feature that all outputs of this stride share.

    It stands before the first layer whose weights are shared with other strides and before the
    layers that make the outputs. Where each stride has a tower of its own before its outputs, and
    all towers are alike, it stands before the tower.
    """
    levels = _heads_by_stride(view)
    shared = _shared_layers(view)
    found = {
        stride: value
        for stride, values in levels.items()
        if (value := _common(view, values, shared)) is not None
    }
    if all(len(values) > 1 for values in levels.values()):
        found = _before_towers(view, found, levels)
    return in_order(
        make_feature(view, value, LEVEL, "feeds the detection head", stride=stride)
        for stride, value in found.items()
    )


def is_dense(view: ProgramAnalysis) -> bool:
    """Whether a detector predicts at every cell of a pyramid with heads that are all alike.

    Either layers of its heads serve several levels, or several levels hold distributions.
    """
    levels = _heads_by_stride(view)
    if any(v.id in distributions(view) for values in levels.values() for v in values):
        return len(levels) > 1
    shared = _shared_layers(view)
    served = [s for s, values in levels.items() if _inside(view, values)[1] & shared]
    return len(served) > 1


def _heads_by_stride(view: ProgramAnalysis) -> Heads:
    levels: Heads = defaultdict(list)
    for head in loss_heads(view) or decoding_heads(view):
        if head.kind in _DETECTION and head.stride is not None:
            levels[head.stride].append(view.flow.values[head.value])
    return levels


def _shared_layers(view: ProgramAnalysis) -> set[int]:
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


def _inside(view: ProgramAnalysis, heads: list[Value]) -> tuple[set[int], set[int]]:
    """Ids of the values behind some heads at their own stride, and of the ops that write them."""
    stride = view.stride(heads[0])
    values = reachable(
        (v.id for v in heads),
        lambda i: (j for j in view.behind(i) if view.stride(view.flow.values[j]) == stride),
    )
    producers = (view.flow.values[i].producer for i in values)
    return set(values), {op for op in producers if op is not None}


def _common(view: ProgramAnalysis, heads: list[Value], shared: set[int]) -> Value | None:
    """Walk back from the heads of one stride until one value is left that feeds them all."""
    inside, ops = _inside(view, heads)
    left = ops & shared
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


def _push(
    view: ProgramAnalysis, front: list[tuple[int, int]], seen: set[int], value: Value
) -> None:
    """Values that the same op made count once."""
    producer = view.producer(value)
    if value.id not in seen:
        seen.add(value.id)
        heappush(front, (1 if producer is None else -producer.id, value.id))


def _ending(view: ProgramAnalysis, head: Value) -> list[Op]:
    """The layer that makes a head, with the ops that add its bias and norm."""
    op = view.producer(head)
    return [] if op is None else layer_of(view, op)


def _before_towers(
    view: ProgramAnalysis, found: dict[Stride, Value], levels: Heads
) -> dict[Stride, Value]:
    """Step back on all levels at once, op by op of one type, to where one feeds another level.

    Without such a place, as where the towers begin at the backbone, all stays as it was.
    """
    # What was looked at behind a level before need not be looked at again.
    seen = {stride: {value.id for value in values} for stride, values in levels.items()}
    now = dict(found)
    while now:
        if any(_leaves(view, value, seen[stride]) for stride, value in now.items()):
            return now
        before = {stride: _only_input(view, value) for stride, value in now.items()}
        producers = [view.producer(value) for value in now.values()]
        alike = len({None if op is None else op.type for op in producers}) == 1
        stepped = {stride: value for stride, value in before.items() if value is not None}
        if not alike or len(stepped) < len(now):
            break
        now = stepped
    return found


def _only_input(view: ProgramAnalysis, value: Value) -> Value | None:
    """What the op before a value reads of the network, where it is one value of its stride."""
    producer = view.producer(value)
    reads = [] if producer is None else view.reads(producer)
    if len(reads) != 1 or view.stride(reads[0]) != view.stride(value):
        return None
    return reads[0]


def _leaves(view: ProgramAnalysis, value: Value, seen: set[int]) -> bool:
    """Whether another stride is computed from a value, but not through what was seen already."""
    stride, queue = view.stride(value), [value]
    seen.add(value.id)
    for here in queue:
        for op in view.consumers(here):
            for written in view.flow.writes(op):
                beyond = view.stride(written)
                if beyond is not None and beyond != stride:
                    return True
                if beyond is not None and written.id not in seen:
                    seen.add(written.id)
                    queue.append(written)
    return False
