"""The picture of a table of shares: its colours, its words, and that it repeats."""

from __future__ import annotations

import pytest

from graphprobe.drawing.pages.heatmap import HeatMap, HeatRow, colour_of, percent, render_heatmap

HEATMAP = HeatMap(
    "Title & more",
    ("first <note>", "second"),
    ("0.1", "0.5"),
    (
        HeatRow("conv1_weights", "32", (0.004, 0.51), 0.02),
        HeatRow("a_name_" * 20, "1024", (-0.3, None), 0.0),
    ),
    "saved",
)


def brightness(colour: str) -> int:
    return sum(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def test_more_is_darker() -> None:
    found = [brightness(colour_of(i / 200)) for i in range(201)]
    assert all(a >= b for a, b in zip(found, found[1:], strict=False)) and found[0] > 2 * found[-1]
    assert colour_of(-3.0) == colour_of(0.0) and colour_of(7.0) == colour_of(1.0)


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, ""), (0.0, "0%"), (-0.0001, "0%"), (0.0123, "1.2%"), (0.0996, "10%"), (-2.5, "-250%")],
)
def test_percent(share: float | None, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_equal_tables_are_equal_files(kind: str) -> None:
    first = render_heatmap(HEATMAP, kind)
    assert first == render_heatmap(HEATMAP, kind) and len(first) > 1000


def test_the_svg_holds_what_fits_and_escapes_it() -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(render_heatmap(HEATMAP, "svg"))  # noqa: S314 - our own text
    words = [element.text or "" for element in root.iter() if element.tag.endswith("}text")]
    assert {"Title & more", "first <note>", "conv1_weights", "0.4%", "51%", "-30%"} <= set(words)
    assert any(word.startswith("a_name_") and "…" in word for word in words)
    fills = {element.get("fill") for element in root.iter() if element.tag.endswith("}rect")}
    assert {colour_of(0.51), colour_of(0.004)} <= fills


def test_a_table_without_rows_is_a_picture_too() -> None:
    assert render_heatmap(HeatMap("t", (), (), (), "b"), "png").startswith(b"\x89PNG")
