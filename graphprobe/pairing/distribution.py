"""Boxes as distributions (GFL): each edge is the mean of a softmax over a few bins.

What marks one is what the program does with it: a softmax over B of its 4 B channels, whose
result is multiplied with B fixed numbers and summed. Neither names nor shapes alone suffice: a
class head of four anchors has a softmax over its channels too, and no such sum behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ir import Op, Value
from graphprobe.ops.kinds import computed_by, is_convolution, is_linear, kind_of, moves_only
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.trace import walk_back

EDGES = 4


def distributions(analysis: ProgramAnalysis) -> dict[int, int]:
    """Ids of the maps [N, 4 * B, H, W] that hold distributions -> B."""
    if "distributions" not in analysis.memo:
        analysis.memo["distributions"] = {
            end.id: bins
            for op in analysis.ops
            if kind_of(op.type) == "softmax" and (bins := _bins(analysis, op)) > 1
            for end in _maps_behind(analysis, op)
            if map_channels(analysis, end) == EDGES * bins
        }
    found: dict[int, int] = analysis.memo["distributions"]
    return found


def expectations(analysis: ProgramAnalysis) -> frozenset[int]:
    """Ids of the values that are the mean of a softmax over fixed numbers: edges, places."""
    if "expectations" not in analysis.memo:
        softmaxes = (op for op in analysis.ops if kind_of(op.type) == "softmax")
        analysis.memo["expectations"] = frozenset(
            value.id for op in softmaxes for value in _averages(analysis, op, _size(analysis, op))
        )
    found: frozenset[int] = analysis.memo["expectations"]
    return found


def _bins(analysis: ProgramAnalysis, op: Op) -> int:
    """Size of the axis of a softmax whose result is averaged with fixed numbers; 0 for others."""
    size = _size(analysis, op)
    return size if size > 1 and any(_averages(analysis, op, size)) else 0


def _size(analysis: ProgramAnalysis, op: Op) -> int:
    """Size of the axis of a softmax of a feature; 0 where it is not known."""
    value = analysis.flow.read(op, "X")
    shape = analysis.shape(value) if value is not None else None
    if value is None or not shape or not analysis.after_first_layer[value.id]:
        return 0
    axis = op.attrs.get("axis", -1)
    return shape[axis] if isinstance(axis, int) and -len(shape) <= axis < len(shape) else 0


def _averages(analysis: ProgramAnalysis, op: Op, size: int) -> Iterator[Value]:
    """What fixed numbers, one a bin, multiplied with what a softmax gives are summed up to."""
    queue = list(analysis.flow.writes(op))
    seen = {value.id for value in queue}
    for value in queue:
        for reader in analysis.consumers(value):
            yield from _sums_of_product(analysis, reader, size)
            if moves_only(reader.type):
                new = [v for v in analysis.flow.writes(reader) if v.id not in seen]
                seen.update(v.id for v in new)
                queue += new


def _sums_of_product(analysis: ProgramAnalysis, op: Op, size: int) -> Iterator[Value]:
    fixed = [v for v in analysis.flow.reads(op) if not analysis.depends_on_input[v.id]]
    if not any(_count(analysis, value) == size for value in fixed):
        return
    if is_linear(op.type) or is_convolution(op.type):
        yield from analysis.flow.writes(op)
    for value in analysis.flow.writes(op) if computed_by(op.type) == "multiply" else ():
        for reader in analysis.consumers(value):
            yield from analysis.flow.writes(reader) if _sums(reader.type) else ()


def _sums(op_type: str) -> bool:
    return kind_of(op_type) == "reduce" or computed_by(op_type) == "add"


def _count(analysis: ProgramAnalysis, value: Value) -> int:
    """How many numbers a value of known shape holds."""
    count = 1
    for size in analysis.shape(value) or (0,):
        count *= size
    return count


def _maps_behind(analysis: ProgramAnalysis, op: Op) -> list[Value]:
    value = analysis.flow.read(op, "X")
    start = [] if value is None else [value]
    ends = walk_back(
        analysis, start, lambda before: moves_only(before.type) or kind_of(before.type) == "pick"
    )
    return [end for end in ends if map_channels(analysis, end) > 0]


def map_channels(analysis: ProgramAnalysis, value: Value) -> int:
    """Channels of a [N, C, H, W] or [N, H, W, C] map; 0 for what is none."""
    place, shape = analysis.spatial[value.id], analysis.shape(value)
    if place is None or place.h is None or shape is None or len(shape) != 4:
        return 0
    return shape[1] if place.h > 1 else shape[3]
