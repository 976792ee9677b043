"""One rule says which input takes the image, and how its axes lie."""

from __future__ import annotations

import pytest

from graphprobe.formats import add_ports
from graphprobe.ir.builder import Builder
from graphprobe.ops.spatial.image_input import (
    ImageInput,
    fixed_image_size,
    image_input,
    image_inputs,
)


def read_by(shape: tuple[int, ...], dtype: str = "float32", **attrs: object) -> Builder:
    b = Builder()
    b.op("relu", {"X": b.feed("x", shape, dtype)}, attrs=attrs, shape=shape)  # type: ignore[arg-type]
    return b


@pytest.mark.parametrize(
    ("shape", "attrs", "expected"),
    [
        ((-1, 3, 32, 48), {}, (3, 32, 48, False)),
        ((-1, 1, -1, -1), {}, (1, -1, -1, False)),
        ((-1, -1, 8, 8), {}, (-1, 8, 8, False)),
        ((-1, 32, 48, 3), {}, (3, 32, 48, True)),
        ((-1, 32, 48, 3), {"data_format": "NHWC"}, (3, 32, 48, True)),
        # what reads it is believed before the sizes: 32 features of 48 x 3, no image
        ((-1, 32, 48, 3), {"data_format": "NCHW"}, None),
        ((-1, 3, 8, 3), {}, (3, 8, 3, False)),
        ((-1, 64, 8, 8), {}, None),
        ((-1, 3), {}, None),
    ],
)
def test_the_input_and_its_axes(shape, attrs, expected):
    program = read_by(shape, **attrs).build(["tmp_0.tmp_0"])
    found = image_input(program)
    assert found == (None if expected is None else ImageInput("x", *expected))
    assert image_input(add_ports(program)) == found


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
def test_integers_are_no_image(dtype):
    assert image_inputs(read_by((-1, 3, 8, 8), dtype).build(["tmp_0.tmp_0"])) == ()


def test_of_several_none_is_the_image():
    b = Builder()
    b.op("concat", {"X": [b.feed("a", (-1, 3, 8, 8)), b.feed("b", (-1, 3, 8, 8))]}, shape=(-1, 6))
    program = b.build(["tmp_0.tmp_0"])
    assert [found.name for found in image_inputs(program)] == ["a", "b"]
    assert image_input(program) is None and fixed_image_size(program) is None
