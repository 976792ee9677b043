"""Coordinates inside layers: each node near its neighbours, in order, without overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence


def fit(
    wanted: Sequence[float],
    room: Sequence[float],
    weight: Sequence[float],
    low: float = -math.inf,
    high: float = math.inf,
) -> list[float]:
    """Positions nearest to the wanted ones (least squares) that keep the order and distances.

    This is isotonic regression by pooling adjacent violators, linear in the number of positions.

    Args:
        wanted: where each position would like to be.
        room: the least distance of each position from the one before it; ``room[0]`` is unused.
        weight: how strongly each insists.
        low: the least position of the first, where there is room for that.
        high: the greatest position of the last, likewise.

    Returns:
        The positions; empty for no positions.
    """
    offsets, total = [], 0.0
    for at, gap in enumerate(room):
        total += gap if at else 0.0
        offsets.append(total)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for at, place in enumerate(wanted):
        mean, mass, count = place - offsets[at], weight[at], 1
        while pools and pools[-1][0] > mean:
            other, other_mass, other_count = pools.pop()
            mean = (mean * mass + other * other_mass) / (mass + other_mass)
            mass, count = mass + other_mass, count + other_count
        pools.append((mean, mass, count))
    flat = [mean for mean, _, count in pools for _ in range(count)]
    if flat and low <= high - total:
        flat = [min(max(place, low), high - total) for place in flat]
    return [place + offset for place, offset in zip(flat, offsets, strict=True)]
