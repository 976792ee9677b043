"""Multiply-adds and numbers of parameters of a program, before and after a cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from graphprobe.ir import Program
from graphprobe.ops._work import multiply_adds, weight_uses

_BYTES = {"float64": 8, "int64": 8, "float16": 2, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1}


@dataclass(frozen=True, slots=True)
class Size:
    """How large a network is.

    Args:
        flops: multiply-adds of convolutions and fully connected layers, for one image.
        params: numbers in its parameters, statistics included.
        megabytes: of its parameters as they are stored (2**20 bytes).
    """

    flops: int
    params: int
    megabytes: float


def network_size(
    program: Program,
    image: tuple[int, int] | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Size:
    """Measure a program.

    Args:
        program: of any kind.
        image: H and W of the input where the program leaves them open (608 by default).
        shapes: parameters' shapes after a cut.
    """
    after = shapes or {}
    counts = [
        (prod(after.get(var.name, var.shape or ())), _BYTES.get(var.dtype, 4))
        for var in program.parameters
    ]
    return Size(
        multiply_adds(weight_uses(program, image), after),
        sum(count for count, _ in counts),
        sum(count * size for count, size in counts) / 2**20,
    )
