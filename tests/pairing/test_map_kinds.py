"""Maps whose channels hold several things: groups of scores, and scores beside distributions."""

from __future__ import annotations

import pytest

from graphprobe.ir import Program
from graphprobe.ir.builder import Builder
from graphprobe.pairing.find import find_pairs


def anchors(width: int, last: bool = True) -> Program:
    """Two anchors of two classes a cell, and a softmax over the classes."""
    b = Builder()
    y = b.conv(b.conv(b.feed("image", (-1, 3, 32, 32)), width, k=3, stride=2), 4)
    if last:
        y = b.op("transpose2", {"X": y}, attrs={"axis": (0, 2, 3, 1)}, shape=(-1, 16, 16, 4))
        y = b.op("reshape2", {"X": y}, shape=(-1, 512, 2))
    else:
        y = b.op("reshape2", {"X": y}, shape=(-1, 2, 2, 16, 16))
    axis = -1 if last else 2
    y = b.op("softmax", {"X": y}, attrs={"axis": axis}, shape=b.build().shape(y))
    return b.build(fetches=[y])


@pytest.mark.parametrize("last", [True, False])
def test_a_softmax_over_groups_of_channels_makes_a_class_head(last: bool) -> None:
    (pair,) = find_pairs(anchors(8, last), anchors(16, last)).pairs
    assert (pair.role, pair.score) == ("class head, stride 2", 1.0)
    assert "a softmax over the classes of each anchor" in pair.evidence


def mixed(width: int) -> Program:
    """One convolution a level for 4 x 16 bins and 5 classes, split after the levels are joined."""
    b = Builder()
    x, flat = b.feed("image", (-1, 3, 32, 32)), []
    for size in (16, 8):
        x = b.conv(x, width, k=3, stride=2)
        flat.append(b.op("reshape2", {"X": b.conv(x, 69)}, shape=(-1, 69, size * size)))
    whole = b.op("concat", {"X": flat}, attrs={"axis": 2}, shape=(-1, 69, 320))
    bins, scores = b.var(shape=(-1, 64, 320)), b.var(shape=(-1, 5, 320))
    sections = {"axis": 1, "sections": (64, 5)}
    b.op("split", {"X": whole}, {"Out": [bins, scores]}, attrs=sections)
    bins = b.op("reshape2", {"X": bins}, shape=(-1, 4, 16, 320))
    bins = b.op("softmax", {"X": bins}, attrs={"axis": 2}, shape=(-1, 4, 16, 320))
    places = b.op("range", {}, shape=(16, 1))
    bins = b.op("elementwise_mul", {"X": bins, "Y": places}, shape=(-1, 4, 16, 320))
    edges = b.op("reduce_sum", {"X": bins}, attrs={"dim": (2,)}, shape=(-1, 4, 320))
    scores = b.op("sigmoid", {"X": scores}, shape=(-1, 5, 320))
    found = b.op("concat", {"X": [edges, scores]}, attrs={"axis": 1}, shape=(-1, 9, 320))
    return b.build(fetches=[found])


def test_maps_that_are_split_after_their_levels_are_joined_are_in_doubt() -> None:
    pairs = find_pairs(mixed(8), mixed(16)).pairs
    assert {(p.role, p.loss, p.score) for p in pairs} == {
        ("head, stride 2", "relative_l2", 0.8),
        ("head, stride 4", "relative_l2", 0.8),
    }
    assert all(any("scores and other things" in text for text in p.evidence) for p in pairs)
