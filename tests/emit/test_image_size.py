"""A config takes over the image size that its program fixes."""

from __future__ import annotations

import pytest

from graphprobe.emit.train_settings import train_section
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.ops.spatial.image_input import fixed_image_size


def network(*shape: int) -> Program:
    b = Builder()
    return b.build(fetches=[b.conv(b.feed("image", shape), 4, k=3)])


@pytest.mark.parametrize(
    ("shape", "size"),
    [((-1, 3, 96, 96), 96), ((-1, 3, -1, -1), None), ((-1, 3, 96, 64), None)],
)
def test_the_size_of_the_image(shape, size):
    assert fixed_image_size(network(*shape)) == size


def test_the_first_program_that_fixes_one_decides():
    free, fixed = network(-1, 3, -1, -1), network(-1, 3, 320, 320)
    assert train_section(free, fixed).image_size == 320
    assert train_section(free).image_size == 608


def test_a_size_that_is_not_square_is_written_as_it_is():
    """Readers of lines of text take images of 32 x 320."""
    section = train_section(network(-1, 3, 32, 320), network(-1, 3, -1, -1))
    assert section.preparation.size == (32, 320)
    assert section.input_size == (32, 320)
    assert train_section(network(-1, 3, -1, 320)).preparation.size is None
