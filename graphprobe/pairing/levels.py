"""The levels of the pyramid that feed a detection head."""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush

from graphprobe.ir import Op, Value
from graphprobe.ir.dataflow import reachable
from graphprobe.ops.kinds import moves_only
from graphprobe.pairing.analysis import ProgramAnalysis, Stride
from graphprobe.pairing.decoding_heads import network_heads
from graphprobe.pairing.distribution import distributions
from graphprobe.pairing.features import Feature, in_order, make_feature
from graphprobe.pairing.roles import DETECTION
from graphprobe.pairing.trace import layer_of

LEVEL = "neck level"
ENCODER_LEVEL = "encoder level"
Heads = dict[Stride, list[Value]]


def neck_levels(analysis: ProgramAnalysis) -> list[Feature]:
    """Of each stride the last feature that all outputs of this stride share.

    It stands before the first layer whose weights are shared with other strides and before the
    layers that make the outputs. Where each stride has a tower of its own before its outputs, and
    all towers are alike, it stands before the tower.
    """
    levels = _heads_by_stride(analysis)
    if not levels:
        return encoder_levels(analysis)
    shared = _shared_layers(analysis)
    found = {
        stride: value
        for stride, values in levels.items()
        if (value := _common(analysis, values, shared)) is not None
    }
    if all(len(values) > 1 for values in levels.values()):
        found = _before_towers(analysis, found, levels)
    return in_order(
        make_feature(analysis, value, LEVEL, "feeds the detection head", stride=stride)
        for stride, value in found.items()
    )


def encoder_levels(analysis: ProgramAnalysis) -> list[Feature]:
    """Of each stride the last map that a decoder of picked objects (DETR) takes as a list of cells.

    Its own outputs are one row for each object, so that only the maps it starts from have places
    that mean the same in another network.
    """
    rows = [analysis.flow.values[h.value] for h in network_heads(analysis) if h.rows]
    before = reachable((value.id for value in rows), analysis.predecessors)
    found: dict[Stride, Value] = {}
    for op in analysis.ops:
        reads = analysis.reads(op)
        if len(reads) != 1 or reads[0].id not in before or not _flattens(analysis, op):
            continue
        value, stride = reads[0], analysis.stride(reads[0])
        if stride is None or not analysis.after_first_layer[value.id]:
            continue
        last = found.get(stride)
        if last is None or analysis.depth[value.id] > analysis.depth[last.id]:
            found[stride] = value
    return in_order(
        make_feature(analysis, value, ENCODER_LEVEL, "what the decoder of objects looks at")
        for value in found.values()
    )


def _flattens(analysis: ProgramAnalysis, op: Op) -> bool:
    """Whether an op makes a list of the cells of a map."""
    if not moves_only(op.type):
        return False
    before = analysis.spatial[analysis.reads(op)[0].id]
    written = [v for v in analysis.flow.writes(op) if v.slot != "XShape"]
    after = analysis.spatial[written[0].id] if written else None
    return before is not None and before.h is not None and (after is None or after.h is None)


def is_dense(analysis: ProgramAnalysis) -> bool:
    """Whether a detector predicts at every cell of a pyramid with heads that are all alike.

    Either layers of its heads serve several levels, or several levels hold distributions.
    """
    levels = _heads_by_stride(analysis)
    if any(v.id in distributions(analysis) for values in levels.values() for v in values):
        return len(levels) > 1
    shared = _shared_layers(analysis)
    served = [s for s, values in levels.items() if _inside(analysis, values)[1] & shared]
    return len(served) > 1


def _heads_by_stride(analysis: ProgramAnalysis) -> Heads:
    levels: Heads = defaultdict(list)
    for head in network_heads(analysis):
        if head.kind in DETECTION and head.stride is not None:
            levels[head.stride].append(analysis.flow.values[head.value])
    return levels


def _shared_layers(analysis: ProgramAnalysis) -> set[int]:
    """Ids of the layers whose weights other layers at another stride use too."""
    users: dict[str, set[tuple[Stride | None, int]]] = defaultdict(set)
    for op in analysis.layers:
        stride = next((analysis.stride(v) for v in analysis.flow.writes(op)), None)
        for value in analysis.flow.reads(op):
            if not analysis.depends_on_input[value.id]:
                users[value.name].add((stride, op.id))
    return {
        op for uses in users.values() if len({stride for stride, _ in uses}) > 1 for _, op in uses
    }


def _inside(analysis: ProgramAnalysis, heads: list[Value]) -> tuple[set[int], set[int]]:
    """Ids of the values behind some heads at their own stride, and of the ops that write them."""
    stride = analysis.stride(heads[0])
    values = reachable(
        (v.id for v in heads),
        lambda i: (
            j
            for j in analysis.predecessors(i)
            if analysis.stride(analysis.flow.values[j]) == stride
        ),
    )
    producers = (analysis.flow.values[i].producer for i in values)
    return set(values), {op for op in producers if op is not None}


def _common(analysis: ProgramAnalysis, heads: list[Value], shared: set[int]) -> Value | None:
    """Walk back from the heads of one stride until one value is left that feeds them all."""
    inside, ops = _inside(analysis, heads)
    left = ops & shared
    left |= {op.id for head in heads for op in _ending(analysis, head)}
    front: list[tuple[int, int]] = []
    seen: set[int] = set()
    for head in heads:
        _push(analysis, front, seen, head)
    while front and (left or len(front) > 1):
        at, _ = heappop(front)
        left.discard(-at)
        if at > 0:
            return None
        op = analysis.program.ops[-at]
        for value in analysis.reads(op):
            if value.id in inside:
                _push(analysis, front, seen, value)
        while front and front[0][0] == at:
            heappop(front)
    return analysis.flow.values[front[0][1]] if front else None


def _push(
    analysis: ProgramAnalysis, front: list[tuple[int, int]], seen: set[int], value: Value
) -> None:
    """Values that the same op made count once."""
    producer = analysis.producer(value)
    if value.id not in seen:
        seen.add(value.id)
        heappush(front, (1 if producer is None else -producer.id, value.id))


def _ending(analysis: ProgramAnalysis, head: Value) -> list[Op]:
    """The layer that makes a head, with the ops that add its bias and norm."""
    op = analysis.producer(head)
    return [] if op is None else layer_of(analysis, op)


def _before_towers(
    analysis: ProgramAnalysis, found: dict[Stride, Value], levels: Heads
) -> dict[Stride, Value]:
    """Step back on all levels at once, op by op of one type, to where one feeds another level.

    Without such a place, as where the towers begin at the backbone, all stays as it was.
    """
    # What was looked at behind a level before need not be looked at again.
    seen = {stride: {value.id for value in values} for stride, values in levels.items()}
    now = dict(found)
    while now:
        if any(_leaves(analysis, value, seen[stride]) for stride, value in now.items()):
            return now
        before = {stride: _only_input(analysis, value) for stride, value in now.items()}
        producers = [analysis.producer(value) for value in now.values()]
        alike = len({None if op is None else op.type for op in producers}) == 1
        stepped = {stride: value for stride, value in before.items() if value is not None}
        if not alike or len(stepped) < len(now):
            break
        now = stepped
    return found


def _only_input(analysis: ProgramAnalysis, value: Value) -> Value | None:
    """What the op before a value reads of the network, where it is one value of its stride."""
    producer = analysis.producer(value)
    reads = [] if producer is None else analysis.reads(producer)
    if len(reads) != 1 or analysis.stride(reads[0]) != analysis.stride(value):
        return None
    return reads[0]


def _leaves(analysis: ProgramAnalysis, value: Value, seen: set[int]) -> bool:
    """Whether another stride is computed from a value, but not through what was seen already."""
    stride, queue = analysis.stride(value), [value]
    seen.add(value.id)
    for here in queue:
        for op in analysis.consumers(here):
            for written in analysis.flow.writes(op):
                beyond = analysis.stride(written)
                if beyond is not None and beyond != stride:
                    return True
                if beyond is not None and written.id not in seen:
                    seen.add(written.id)
                    queue.append(written)
    return False
