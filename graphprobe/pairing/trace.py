"""Walk back from a value through ops that only move or squash numbers."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from graphprobe.ir import Op, Value
from graphprobe.ir.dataflow import reachable
from graphprobe.ops.kinds import computed_by, is_norm, is_pointwise, moves_only, reads_size_only
from graphprobe.pairing.analysis import ProgramAnalysis


def source_before_reshape(
    analysis: ProgramAnalysis, value: Value, known: Container[int] = ()
) -> list[Value]:
    """The values that a value was moved from: through reshape, transpose, concat, slice..."""
    return walk_back(analysis, [value], lambda op: moves_only(op.type), known)


def pre_activation(
    analysis: ProgramAnalysis, value: Value, known: Container[int] = ()
) -> list[Value]:
    """The values behind activations and moves: what softmax, sigmoid, scale were applied to."""
    return walk_back(
        analysis, [value], lambda op: moves_only(op.type) or is_pointwise(op.type), known
    )


def producing_layers(
    analysis: ProgramAnalysis, values: Iterable[Value], known: Container[int] = ()
) -> list[Value]:
    """The outputs, bias added, of the last layers with weights before some values.

    Args:
        analysis: the program.
        values: where to start.
        known: ids of values at which to stop as well.
    """
    return walk_back(analysis, values, lambda op: not ends_layer(analysis, op), known)


def final_layers(
    analysis: ProgramAnalysis, values: Iterable[Value], known: Container[int] = ()
) -> list[Value]:
    """The outputs of the last layers before some values, without those that lead to another.

    Where a decoder refines boxes step by step, only the last step is left.
    """
    ends = producing_layers(analysis, values, known)
    producers = (analysis.producer(end) for end in ends)
    starts = [v.id for op in producers if op is not None for v in _reads_of_layer(analysis, op)]
    before = reachable(starts, analysis.predecessors)
    return [end for end in ends if end.id not in before]


def _reads_of_layer(analysis: ProgramAnalysis, op: Op) -> list[Value]:
    layer = layer_of(analysis, op)
    return analysis.reads(layer[-1] if layer else op)


def ends_layer(analysis: ProgramAnalysis, op: Op) -> bool:
    """Whether an op is a layer with weights, or adds the bias or the norm to one's output."""
    return bool(layer_of(analysis, op))


def layer_of(analysis: ProgramAnalysis, op: Op) -> list[Op]:
    """The ops of the layer that an op ends, the layer itself last; none where it ends none."""
    ops = [op]
    while not analysis.is_layer(ops[-1]):
        fed = analysis.reads(ops[-1])
        before = analysis.producer(fed[0]) if len(fed) == 1 else None
        adds = computed_by(ops[-1].type) == "add" or is_norm(ops[-1].type)
        if before is None or len(ops) > 2 or not adds:
            return []
        ops.append(before)
    return ops


def walk_back(
    analysis: ProgramAnalysis,
    start: Iterable[Value],
    through: Callable[[Op], bool],
    known: Container[int] = (),
) -> list[Value]:
    """Where a walk against the flow stops, in the order of first arrival; inputs are left out."""
    ends: list[Value] = []
    queue = list(start)
    seen = {v.id for v in queue}
    for value in queue:
        op = analysis.producer(value)
        if op is None or reads_size_only(op.type):
            continue
        if value.id in known or not through(op):
            ends.append(value)
            continue
        for other in analysis.reads(op):
            if other.id not in seen and analysis.after_first_layer[other.id]:
                seen.add(other.id)
                queue.append(other)
    return ends


def outside(analysis: ProgramAnalysis, ends: list[Value], read: Value) -> list[Value]:
    """The values that a walk from `read` led to; that itself where it led into a block.

    Nothing outside a block of a loop or condition can read its variables, but what it hands on.
    """
    return [read] if any(block_of(analysis, end) for end in ends) else ends


def block_of(analysis: ProgramAnalysis, value: Value) -> int:
    """The block that alone knows a value's variable; 0 where the whole program knows it."""
    op = analysis.producer(value)
    if op is None or not op.block or value.name in analysis.program.blocks[0].vars:
        return 0
    return op.block
