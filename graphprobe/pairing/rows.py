"""Outputs with one row for each object that the network itself picks: queries and proposals.

The heads of most detectors have one place for each cell of a map, so the same place of student
and teacher is about the same part of the image. Where a network picks places by its own scores
(top_k and gather, as RT-DETR), cuts out regions by its own boxes (roi_align, as Faster R-CNN) or
looks from learned queries (DETR), row 7 of the one and row 7 of the other are different objects.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ir import Op, Value
from graphprobe.ops.kinds import is_linear, kind_of, moves_only
from graphprobe.pairing.analysis import ProgramAnalysis


def why_rows_differ(analysis: ProgramAnalysis, value: Value) -> str:
    """Why rows of an output are other objects in another network; empty if they are not."""
    picked = _picked(analysis)
    if picked is not None and picked[0][value.id]:
        return (
            f"each row is an object that the network picked itself ({picked[1]}), so equal rows "
            f"are different objects: a loss would have to match them first"
        )
    return ""


def _picked(analysis: ProgramAnalysis) -> tuple[list[bool], str] | None:
    """Which values lie behind rows that the network picks, and the type of the op that picks."""
    if "picked" not in analysis.memo:
        ops = list(_picking(analysis))
        analysis.memo["picked"] = (
            (_behind_layers(analysis, ops), _kinds(analysis, ops)) if ops else None
        )
    found: tuple[list[bool], str] | None = analysis.memo["picked"]
    return found


def _picking(analysis: ProgramAnalysis) -> Iterator[Op]:
    for op in analysis.ops:
        if picks_by_content(analysis, op) or _asks_with_queries(analysis, op):
            yield op


# The slots that hold which rows, cells or regions are taken.
_WHICH = {"pick": ("Index", "Mask"), "sample": ("ROIs",)}


def picks_by_content(analysis: ProgramAnalysis, op: Op) -> bool:
    """Whether an op takes the rows or regions that the network's own outputs point at."""
    slots = _WHICH.get(kind_of(op.type) or "", ())
    index = (analysis.flow.read(op, slot) for slot in slots)
    return any(v is not None and analysis.after_first_layer[v.id] for v in index)


def _asks_with_queries(analysis: ProgramAnalysis, op: Op) -> bool:
    """Whether an op compares learned queries with what the network saw (attention or sampling)."""
    if kind_of(op.type) == "sample":
        grid = analysis.flow.read(op, "Grid")
        return grid is not None and not analysis.depends_on_input[grid.id]
    if not is_linear(op.type):
        return False
    x, y = analysis.flow.read(op, "X"), analysis.flow.read(op, "Y")
    if x is None or y is None or analysis.depends_on_input[x.id]:
        return False
    shape = analysis.shape(x) or ()
    return (
        analysis.after_first_layer[y.id]
        and len(shape) > 2
        and shape[-2] != 1
        and _is_softmaxed(analysis, op)
    )


# How many values may stand between a product of queries and keys and its softmax.
_STEPS = 8


def _is_softmaxed(analysis: ProgramAnalysis, op: Op) -> bool:
    queue = list(analysis.flow.writes(op))
    for value in queue:
        if len(queue) > _STEPS:
            return False
        for reader in analysis.consumers(value):
            if kind_of(reader.type) == "softmax":
                return True
            if moves_only(reader.type) or kind_of(reader.type) in ("unary", "elementwise"):
                queue += list(analysis.flow.writes(reader))
    return False


def _behind_layers(analysis: ProgramAnalysis, ops: list[Op]) -> list[bool]:
    """The values behind layers that read what was picked."""
    picked = analysis.reachable_from(ops)
    layers = [op for op in analysis.layers if any(picked[v.id] for v in analysis.reads(op))]
    return analysis.reachable_from(layers)


def _kinds(analysis: ProgramAnalysis, ops: list[Op]) -> str:
    names = (op.type if picks_by_content(analysis, op) else "learned queries" for op in ops)
    return ", ".join(dict.fromkeys(names))
