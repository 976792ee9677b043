"""Contents of small tensors that are no finite numbers are unknown, and end nothing."""

from __future__ import annotations

from math import inf, nan

import pytest

from graphprobe.ir.builder import Builder
from graphprobe.ops.shapes.infer import infer_shapes

INT64, FLOAT = 3, 5


def made_of(value, op_type, attrs):
    """What is known of a number that an op and a cast to an integer make of a constant."""
    b = Builder()
    filled = {"shape": (1,), "values": (value,)}
    x = b.op("assign_value", {}, attrs=filled, shape=(1,))
    y = b.op(op_type, {"X": x}, attrs=attrs, shape=(1,))
    z = b.op("cast", {"X": y}, {"Out": "z"}, {"out_dtype": INT64}, (1,))
    program = b.build([b.op("relu", {"X": z}, {"Out": "end"}, shape=(1,))])
    found = infer_shapes(program)
    return next(found[v.id].single() for v in program.dataflow.values if v.name == "z")


@pytest.mark.parametrize(
    ("op_type", "attrs"),
    [
        ("cast", {"out_dtype": FLOAT}),
        ("floor", {}),
        ("ceil", {}),
        ("scale", {"scale": 2.0}),
        ("fill_any_like", {"value": inf}),
    ],
)
@pytest.mark.parametrize("value", [inf, -inf, nan])
def test_what_is_no_finite_number_is_unknown(op_type, attrs, value):
    assert made_of(value, op_type, attrs) is None


@pytest.mark.parametrize(
    ("value", "attrs", "expected"),
    [
        (18.0, {"scale": 0.33333334}, 6),
        (2.0**100, {"scale": 4.0}, 2**102),
        (1e30, {"scale": 1e30}, None),  # 1e60, and four bytes hold up to 3.4e38
        (1.0, {"scale": inf}, None),
        (1.0, {"bias": nan}, None),
    ],
)
def test_floats_are_those_of_four_bytes(value, attrs, expected):
    assert made_of(value, "scale", attrs) == expected


@pytest.mark.parametrize(
    ("attrs", "count"),
    [
        ({"start": 0, "end": 5, "step": 2}, 3),
        ({"start": 0.0, "end": inf, "step": 1.0}, -1),
        ({"start": -1e308, "end": 1e308, "step": 1.0}, -1),
        ({"start": 0, "end": 10**400, "step": 1}, -1),
    ],
)
def test_a_range_without_an_end_has_an_unknown_size(attrs, count):
    b = Builder()
    x = b.op("range", {}, {"Out": "x"}, attrs, shape=(-1,))
    program = b.build([b.op("relu", {"X": x}, {"Out": "end"}, shape=(-1,))])
    found = infer_shapes(program)
    value = program.dataflow.last("x")
    assert found[value.id].shape == (count,)
