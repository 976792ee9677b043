"""Products of two features: over which axes of which reshapes they run in parallel.

An attention splits the features of a layer into heads and multiplies head by head. The axis of the
heads follows from structure: it is a batch axis of such a product, seen from the reshape that
made it.
"""

from __future__ import annotations

from graphprobe.ir import Dataflow, Op, Value
from graphprobe.ops.table import op_spec

_SAME_AXES = ("activation", "unary", "identity", "softmax", "elementwise")


def product_axes(flow: Dataflow) -> dict[int, frozenset[int]]:
    """For each reshape in front of a product of two features, the axes that it runs over.

    Linear: each value is left once for each set of axes that reaches it first.
    """
    found: dict[int, frozenset[int]] = {}
    seen: set[int] = set()
    for op in flow.program.ops:
        if _is_feature_product(flow, op):
            for slot in ("X", "Y"):
                value = flow.read(op, slot)
                rank = len(flow.program.shape(value.name, op.block) or ()) if value else 0
                if value is not None and rank > 2:
                    _walk_back(flow, value, frozenset(range(rank - 2)), found, seen)
    return found


def _is_feature_product(flow: Dataflow, op: Op) -> bool:
    """Whether an op multiplies two matrices, neither of which is a parameter."""
    spec = op_spec(op.type)
    if spec is None or spec.kind != "linear":
        return False
    names = [op.input(slot) for slot in ("X", "Y")]
    found = [flow.program.var(name, op.block) for name in names if name is not None]
    return len(found) == 2 and not any(var is None or var.persistable for var in found)


def _walk_back(
    flow: Dataflow,
    value: Value,
    axes: frozenset[int],
    found: dict[int, frozenset[int]],
    seen: set[int],
) -> None:
    """Follow one operand back through what moves or keeps its axes, to the reshape behind."""
    at: Value | None = value
    while at is not None and at.id not in seen and axes:
        seen.add(at.id)
        op = flow.producer(at)
        if op is None:
            return
        spec = op_spec(op.type)
        if spec is None:
            return
        if spec.move == "reshape":
            found[op.id] = found.get(op.id, frozenset()) | axes
            return
        moved = _before(flow, op, spec.kind, spec.move, axes)
        if moved is None:
            return
        axes = moved
        at = flow.read(op, "X") or flow.read(op, "Input")


def _before(
    flow: Dataflow, op: Op, kind: str, move: str | None, axes: frozenset[int]
) -> frozenset[int] | None:
    """The same axes in what an op reads; None where it is not followed."""
    if kind in _SAME_AXES or move == "split":
        return axes
    rank = len(flow.program.shape(op.input("X") or op.input("Input"), op.block) or ())
    if kind == "norm" and "begin_norm_axis" in op.attrs:
        return frozenset(a for a in axes if a < op.get_int("begin_norm_axis", 1))
    if move == "concat":
        return axes - {op.get_int("axis") % rank} if rank else None
    if move == "repeat":
        more = len(flow.program.shape(op.output("Out"), op.block) or ()) - rank
        return frozenset(a - more for a in axes if a >= more) if rank and more >= 0 else None
    if move == "transpose":
        order = op.get_ints("axis") or op.get_ints("perm")
        if not rank or len(order) != rank:
            return None
        return frozenset(order[a] % rank for a in axes if a < rank)
    if move in ("slice", "unstack"):
        gone = op.get_ints("decrease_axis") if move == "slice" else (op.get_int("axis"),)
        kept = [i for i in range(rank) if i not in {a % rank for a in gone}] if rank else []
        return frozenset(kept[a] for a in axes if a < len(kept))
    return None
