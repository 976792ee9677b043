"""How much smaller than the input each feature map is (its stride), followed through the ops."""

from __future__ import annotations

from fractions import Fraction

from graphprobe.ir import Op
from graphprobe.render._chains import CONVOLUTIONS
from graphprobe.render._items import Item, ItemGraph

_POOLS = frozenset({"pool2d", "max_pool2d_with_index", "pool3d"})
_RESIZE = frozenset(
    {"nearest_interp", "nearest_interp_v2", "bilinear_interp", "bilinear_interp_v2",
     "bicubic_interp_v2", "trilinear_interp_v2", "linear_interp_v2"}
)  # fmt: skip
Scale = Fraction | None


def strides(graph: ItemGraph) -> list[Scale]:
    """The stride of each item's output relative to the first input; None where it is unknown.

    An op of unknown effect keeps the stride of what it reads, and features that meet have one
    stride. What is no picture (any rank but 4) has none.
    """
    found: list[Scale] = []
    for at, item in enumerate(graph.items):
        known = [found[u] for u in graph.dag.pred[at]]
        before = max((scale for scale in known if scale is not None), default=None)
        if item.kind == "input":
            found.append(Fraction(1) if _is_picture(graph, item) else None)
            continue
        factor = step(graph, item.op) if item.op is not None else Fraction(1)
        flat = before is None or factor is None or not _is_picture(graph, item)
        found.append(None if flat else before * factor)  # type: ignore[operator]
    return found


def _is_picture(graph: ItemGraph, item: Item) -> bool:
    shape = graph.program.shape(item.name, item.op.block if item.op else 0)
    return shape is None or len(shape) == 4


def step(graph: ItemGraph, op: Op) -> Scale:
    """What one op multiplies the stride by; 1 for ops that keep it, None for the unknown."""
    if op.type in CONVOLUTIONS:
        factor = Fraction(max(op.get_ints("strides", (1,)) or (1,)))
        return 1 / factor if "transpose" in op.type else factor
    if op.type in _POOLS:
        if op.attrs.get("global_pooling") or op.attrs.get("adaptive"):
            return None
        return Fraction(max(op.get_ints("strides", (1,)) or (1,)))
    return _resize(graph, op) if op.type in _RESIZE else Fraction(1)


def _resize(graph: ItemGraph, op: Op) -> Scale:
    scales = op.attrs.get("scale")
    first = scales[0] if isinstance(scales, tuple) and scales else scales
    if isinstance(first, int | float) and first > 0:
        return 1 / Fraction(first).limit_denominator(64)
    before = graph.program.shape(op.input("X"), op.block)
    after = graph.program.shape(op.output("Out"), op.block)
    if before and after and min(before[-1], after[-1]) > 0:
        return Fraction(before[-1], after[-1])
    return None
