"""How often each weight is used: the multiply-adds of a program as weights times positions.

A convolution multiplies each weight of its filter once for each position of its output map (of
its input map, where it is transposed), a fully connected layer once for each row. So cutting a
filter's axes scales its work, and the positions stay. What has no weights is not counted;
PaddleSlim's ``flops`` counts convolutions and fully connected layers in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from graphprobe.ir import Dataflow, Op, Program, Value
from graphprobe.ops.spatial import SpatialInfo, image_spatial
from graphprobe.ops.spatial_flow import SpatialInfos, propagate_spatial

# Where H and W of a feed are not declared: the size the seeds' figures are for.
DEFAULT_IMAGE = 608
# As the published tables have it.
MEGABYTE = 2**20
_BYTES = {"float64": 8, "int64": 8, "float16": 2, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1}
_DENSE = {"mul": ("X", "Y"), "fc": ("Input", "W"), "matmul": ("X", "Y"), "matmul_v2": ("X", "Y")}


@dataclass(frozen=True, slots=True)
class Work:
    """One use of a weight.

    Args:
        op: the op.
        param: its weight.
        shape: the weight's shape.
        positions: how often each weight is multiplied, for one image.
    """

    op: int
    param: str
    shape: tuple[int, ...]
    positions: int


def weight_uses(program: Program, image: tuple[int, int] | None = None) -> list[Work]:
    """Every use of a filter or a fully connected weight in the forward ops.

    Args:
        program: of any kind.
        image: H and W of the input where the program leaves them open.
    """
    flow = program.dataflow
    places = _places(flow, image or (DEFAULT_IMAGE, DEFAULT_IMAGE))
    found = []
    for op in program.ops:
        if op.role != "forward":
            continue
        if op.input("Filter") is not None:
            found.append(_conv(flow, places, op))
        elif op.type in _DENSE:
            found.append(_dense(program, op))
    return [work for work in found if work is not None and min(work.shape, default=0) > 0]


def multiply_adds(uses: Iterable[Work], shapes: Mapping[str, tuple[int, ...]] | None = None) -> int:
    """The sum of multiply-adds; `shapes` gives the weights' shapes after a cut."""
    after = shapes or {}
    return sum(prod(after.get(use.param, use.shape)) * use.positions for use in uses)


def work_text(count: int) -> str:
    """Multiply-adds as tables show them: ``10.8 G``, ``2.76 M``."""
    return f"{count / 1e9:.3g} G" if count >= 1e9 else f"{count / 1e6:.3g} M"


def _conv(flow: Dataflow, places: SpatialInfos, op: Op) -> Work | None:
    name = op.input("Filter") or ""
    shape = flow.program.shape(name, op.block)
    transposed = "transpose" in op.type
    value = flow.read(op, "Input") if transposed else flow.written(op, "Output")
    if shape is None or value is None:
        return None
    return Work(op.id, name, shape, _positions(flow.program, places[value.id], value, op))


def _positions(program: Program, place: SpatialInfo | None, value: Value, op: Op) -> int:
    """H times W: as declared, or the image's size over the stride."""
    shape = program.shape(value.name, op.block) or ()
    sizes = shape[1:-1] if op.get_str("data_format").endswith("HWC") else shape[2:]
    if sizes and all(s > 0 for s in sizes):
        return prod(sizes)
    if place is None or place.h is None or place.w is None:
        return 1
    h, w = place.image
    return max(1, round(h / place.down_h)) * max(1, round(w / place.down_w))


def _dense(program: Program, op: Op) -> Work | None:
    x, w = (op.input(slot) for slot in _DENSE[op.type])
    var = program.var(w, op.block) if w is not None else None
    if var is None or not var.persistable or var.shape is None:
        return None
    given = program.shape(x, op.block) or ()
    last = op.get_int("x_num_col_dims", op.get_int("in_num_col_dims", 1))
    rows = given[1:last] if op.type in ("mul", "fc") else given[1:-1]
    return Work(op.id, var.name, var.shape, prod(s for s in rows if s > 0))


def _places(flow: Dataflow, image: tuple[int, int]) -> SpatialInfos:
    """Where H and W are in each value, from the feeds on."""
    places: SpatialInfos = [None] * len(flow.values)
    for value in flow.values:
        if _is_fed(flow, value):
            shape = flow.program.shape(value.name)
            places[value.id] = image_spatial(shape, flow.consumers(value), image)
    propagate_spatial(flow, (op for op in flow.program.ops if op.role == "forward"), places)
    return places


def _is_fed(flow: Dataflow, value: Value) -> bool:
    if value.producer is None:
        return value.name in flow.program.feeds
    return flow.program.ops[value.producer].type == "feed"


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """How large a network is.

    Args:
        flops: multiply-adds of convolutions and fully connected layers, for one image.
        params: numbers in its trained parameters: moving statistics are not counted.
        megabytes: of parameters and statistics as they are stored (2**20 bytes).
    """

    flops: int
    params: int
    megabytes: float


def network_size(
    program: Program,
    image: tuple[int, int] | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> NetworkSize:
    """Measure a program.

    Args:
        program: of any kind.
        image: H and W of the input where the program leaves them open (608 by default).
        shapes: parameters' shapes after a cut.
    """
    after = shapes or {}
    counts = {var: prod(after.get(var.name, var.shape or ())) for var in program.parameters}
    moving = _statistics(program)
    return NetworkSize(
        multiply_adds(weight_uses(program, image), after),
        sum(count for var, count in counts.items() if var.name not in moving),
        sum(count * _BYTES.get(var.dtype, 4) for var, count in counts.items()) / MEGABYTE,
    )


def _statistics(program: Program) -> set[str]:
    """What a norm keeps of the batches that it has seen."""
    slots = ("Mean", "Variance")
    return {name for op in program.ops for slot in slots for name in op.inputs.get(slot, ())}
