"""The colours of prune statuses can be told apart, also without red or green cones."""

from __future__ import annotations

from itertools import combinations

import pytest

from graphprobe.drawing.marks import COLOURS

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
VISION = {
    "full": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)


def lab(colour: str, vision: str) -> tuple[float, float, float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    seen = [sum(m * c for m, c in zip(row, linear, strict=True)) for row in VISION[vision]]
    seen = [min(max(c, 0.0), 1.0) for c in seen]
    xyz = [sum(m * c for m, c in zip(row, seen, strict=True)) for row in XYZ]
    f = []
    for value, white in zip(xyz, WHITE, strict=True):
        t = value / white
        f.append(t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116)
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


@pytest.mark.parametrize("vision", VISION)
def test_no_two_statuses_look_alike(vision: str) -> None:
    seen = {word: lab(colour, vision) for word, colour in COLOURS.items()}
    for (a, p), (b, q) in combinations(seen.items(), 2):
        distance = sum((x - y) ** 2 for x, y in zip(p, q, strict=True)) ** 0.5
        assert distance > 18, (vision, a, b, distance)
