"""Nominal strides: what ops do to H and W, whatever padding and odd sizes leave of them."""

from __future__ import annotations

import pytest

from graphprobe.drawing.strides import Stride
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ops.spatial.flow import propagate_spatial
from graphprobe.ops.spatial.info import SpatialInfo, image_spatial


def places_of(program: Program) -> dict[str, SpatialInfo | None]:
    flow = program.dataflow
    places: list[SpatialInfo | None] = [None] * len(flow.values)
    for value in flow.values:
        if value.name == "image":
            places[value.id] = image_spatial(program.shape("image"), flow.consumers(value))
    propagate_spatial(flow, program.ops, places)
    return {value.name: places[value.id] for value in flow.values}


def chain(*ops: tuple[str, dict[str, object], tuple[int, ...]], size: int = 416) -> Program:
    """Ops one after the other on an image; each with its attributes and declared shape."""
    b = Builder()
    x = b.feed("image", (-1, 3, size, size))
    for i, (type_, attrs, shape) in enumerate(ops):
        slots = {"Input": x, "Filter": b.param(f"w{i}", (8, 3, 3, 3))}
        conv = type_.startswith(("conv", "fused"))
        x = b.op(
            type_, slots if conv else {"X": x}, {"Output" if conv else "Out": f"v{i}"}, attrs, shape
        )
    return b.build([x])


@pytest.mark.parametrize(
    "conv", ["conv2d", "fused_conv2d", "conv2d_fusion", "fused_conv2d_add_act"]
)
def test_a_pad_and_a_pool_of_stride_1_leave_the_stride(conv):
    """YOLOv3-tiny: 13 -> 14 -> 13, which is 32, not 29.71."""
    program = chain(
        (conv, {"strides": (32, 32)}, (-1, 8, 13, 13)),
        ("pad3d", {"paddings": (0, 1, 0, 1, 0, 0)}, (-1, 8, 14, 14)),
        ("pool2d", {"ksize": (2, 2), "strides": (1, 1)}, (-1, 8, 13, 13)),
        ("nearest_interp_v2", {"scale": (2.0, 2.0)}, (-1, 8, 26, 26)),
    )
    places = places_of(program)
    found = [place.strides for i in range(4) if (place := places[f"v{i}"]) is not None]
    assert found == [(32, 32), (32, 32), (32, 32), (16, 16)]


def test_odd_pools_and_crops_keep_nominal_strides():
    program = chain(
        ("conv2d", {"strides": (2, 2)}, (-1, 8, 149, 149)),
        ("pool2d", {"ksize": (3, 3), "strides": (2, 2), "ceil_mode": True}, (-1, 8, 74, 74)),
        ("pool2d", {"ksize": (3, 3), "strides": (2, 2)}, (-1, 8, 36, 36)),
        ("crop_tensor", {"shape": (-1, 8, 32, 32)}, (-1, 8, 32, 32)),
        size=300,
    )
    places = places_of(program)
    found = [place.strides for i in range(4) if (place := places[f"v{i}"]) is not None]
    assert found == [(2, 2), (4, 4), (8, 8), (8, 8)]


def test_height_and_width_may_differ():
    program = chain(
        ("conv2d", {"strides": (4, 2)}, (-1, 8, -1, -1)),
        ("pool2d", {"ksize": (2, 1), "strides": (4, 1)}, (-1, 8, -1, -1)),
    )
    place = places_of(program)["v1"]
    assert place is not None and place.strides == (16, 2)
    assert (str(Stride(*map(int, place.strides))), str(Stride(4, 4))) == ("16x2", "4")  # type: ignore[arg-type]


def test_behind_an_unknown_op_only_declared_sizes_tell():
    known = chain(
        ("conv2d", {"strides": (2, 2)}, (-1, 8, 208, 208)), ("own_op", {}, (-1, 8, 104, 104))
    )
    place = places_of(known)["v1"]
    assert place is not None and place.strides == (4, 4)
    silent = chain(
        ("conv2d", {"strides": (2, 2)}, (-1, 8, -1, -1)), ("own_op", {}, (-1, 8, -1, -1))
    )
    assert places_of(silent)["v1"] is None
