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

from graphprobe.ir import Dataflow, Program, Value
from graphprobe.ops.kinds import kind_of
from graphprobe.ops.spatial import image_spatial
from graphprobe.ops.spatial_flow import SpatialInfos, propagate_spatial
from graphprobe.ops.table import op_spec
from graphprobe.ops.work_rules import NoWork, Uncounted, Work, WorkContext

__all__ = [
    "DEFAULT_IMAGE",
    "MEGABYTE",
    "NetworkSize",
    "Work",
    "multiply_adds",
    "network_size",
    "weight_uses",
    "work_text",
]

# Where H and W of a feed are not declared: the size the seeds' figures are for.
DEFAULT_IMAGE = 608
# As the published tables have it.
MEGABYTE = 2**20
_BYTES = {"float64": 8, "int64": 8, "float16": 2, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1}


def weight_uses(program: Program, image: tuple[int, int] | None = None) -> list[Work]:
    """Every use of a filter or a fully connected weight in the forward ops.

    Args:
        program: of any kind.
        image: H and W of the input where the program leaves them open.
    """
    flow = program.dataflow
    places = _places(flow, image or (DEFAULT_IMAGE, DEFAULT_IMAGE))
    found: list[Work] = []
    for op in program.ops:
        spec = op_spec(op.type) if op.role == "forward" else None
        if spec is not None and not isinstance(spec.work, NoWork | Uncounted):
            found += spec.work(WorkContext(op, flow, places))
    return [work for work in found if min(work.shape, default=0) > 0]


def multiply_adds(uses: Iterable[Work], shapes: Mapping[str, tuple[int, ...]] | None = None) -> int:
    """The sum of multiply-adds; `shapes` gives the weights' shapes after a cut."""
    after = shapes or {}
    return sum(prod(after.get(use.param, use.shape)) * use.positions for use in uses)


def work_text(count: int) -> str:
    """Multiply-adds as tables show them: ``10.8 G``, ``2.76 M``."""
    return f"{count / 1e9:.3g} G" if count >= 1e9 else f"{count / 1e6:.3g} M"


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
    return kind_of(flow.program.ops[value.producer].type) == "input"


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
