"""Numbers as colour: the right numbers, one scale for both programs, unknown told apart."""

from __future__ import annotations

import pytest

from graphprobe.drawing import make_drawing, render
from graphprobe.drawing.overlay import COLOUR_KEYS, SCALE, UNKNOWN, ColourBar, colour_at
from graphprobe.drawing.pages.book import make_book
from graphprobe.ir import Program
from graphprobe.ir.builder import Builder


def brightness(colour: str) -> float:
    """Perceived lightness of a colour, as a grey print has it."""
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def two_convs(filters: int) -> Program:
    """A 3x3 convolution and a 1x1 convolution."""
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), filters, k=3)
    x = b.conv(x, 4, k=1)
    return b.build([x])


def fills(program: Program, key: str, teacher: Program | None = None) -> list[list[str | None]]:
    drawing = make_drawing(program, teacher, colour_by=key, level="op")  # type: ignore[arg-type]
    return [[words.fill for words in side.view("op").words] for side in drawing.sides]


def test_darker_is_more_in_grey_too() -> None:
    light = [brightness(colour_at(k / 50)) for k in range(51)]
    assert all(a > b for a, b in zip(light, light[1:], strict=False))
    assert light[-1] / (brightness("#202124") + 0.05) > 4.5, "black text stays readable"
    assert colour_at(1.0) == "#{:02x}{:02x}{:02x}".format(*SCALE[-1][1])


def test_the_most_expensive_node_has_the_darkest_colour() -> None:
    (found,) = fills(two_convs(8), "flops")
    # 3*8*9*64 multiply-adds against 8*4*64.
    dark = [colour for colour in found if colour is not None]
    assert dark == [colour_at(1.0), colour_at((8 * 4 / (3 * 8 * 9)) ** 0.5)]


def test_student_and_teacher_share_one_scale() -> None:
    ours, theirs = fills(two_convs(8), "params", two_convs(32))
    assert colour_at(1.0) in theirs
    assert colour_at(1.0) not in ours


def test_what_cannot_be_counted_is_grey() -> None:
    b = Builder()
    x = b.conv(b.feed("image", (-1, 3, 8, 8)), 8, k=3)
    b.op("lstm", {"Input": x, "Weight": b.param("w", (8, 32))}, {"Hidden": "h"})
    (found,) = fills(b.build(["h"]), "flops")
    assert UNKNOWN in found


def test_status_colours_nothing() -> None:
    (found,) = fills(two_convs(8), "status")
    assert set(found) == {None}


@pytest.mark.parametrize("key", [key for key in COLOUR_KEYS if key != "status"])
def test_every_page_of_nodes_has_a_colour_bar(resnet: Program, key: str) -> None:
    for page in make_book(make_drawing(resnet, colour_by=key)):  # type: ignore[arg-type]
        assert (page.colour_bar is not None) == bool(page.placed)
    for suffix in ("svg", "png", "pdf", "html"):
        assert render(make_drawing(resnet, colour_by=key), f"x.{suffix}")  # type: ignore[arg-type]


def test_ticks_are_the_values_at_their_positions() -> None:
    ticks = ColourBar("multiply-adds", 1.6e9).ticks()
    assert ticks == [(0.0, "0"), (0.25, "100 M"), (0.5, "400 M"), (0.75, "900 M"), (1.0, "1.6 G")]
