"""Layouts against plain lists of channels."""

from __future__ import annotations

import random

import numpy as np
import pytest

from graphprobe.ops.channels.layout import (
    ChannelLayout,
    ChannelRange,
    aligned,
    chain,
    cut_runs,
    join_runs,
    own,
    stretch,
    written_out,
)
from graphprobe.ops.channels.regroup import regroup


def channels(layout: ChannelLayout) -> list[tuple[object, int]]:
    once = [(run.space, run.start + i) for run in layout.runs for i in range(run.length)]
    return [c for c in once for _ in range(layout.inner)] * layout.outer


def random_layout(rng: random.Random) -> ChannelLayout:
    runs = tuple(
        ChannelRange((f"w{rng.randint(0, 3)}", 0), rng.randint(0, 9), rng.randint(1, 5))
        for _ in range(3)
    )
    return ChannelLayout(1, runs, rng.choice([1, 1, 2, 3]), rng.choice([1, 1, 2]))


@pytest.mark.parametrize("seed", range(40))
def test_stretches_and_chains_keep_the_channels(seed):
    rng = random.Random(seed)
    a, b = random_layout(rng), random_layout(rng)
    start = rng.randint(0, a.extent)
    stop = rng.randint(start, a.extent)
    part, whole, flat = stretch(a, start, stop), chain(1, [a, b]), written_out(a)
    assert part is not None and whole is not None and flat is not None
    assert channels(part) == channels(a)[start:stop]
    assert channels(whole) == channels(a) + channels(b)
    assert channels(flat) == channels(a) and flat.inner == flat.outer == 1


@pytest.mark.parametrize("seed", range(20))
def test_aligned_pairs_every_position(seed):
    rng = random.Random(seed)
    a = random_layout(rng)
    b = own(("other", 0), a.extent, 1)
    pairs = aligned(a, b)
    assert pairs is not None
    found = [
        ((x.space, x.start + i), (y.space, y.start + i)) for x, y in pairs for i in range(x.length)
    ]
    assert found == list(zip(channels(a), channels(b), strict=True))
    assert aligned(a, own(("other", 0), a.extent + 1, 1)) is None


def test_runs_are_cut_and_merged():
    runs = (ChannelRange(("w", 0), 0, 4), ChannelRange(("v", 0), 0, 4))
    assert cut_runs(runs, 2, 6) == (ChannelRange(("w", 0), 2, 2), ChannelRange(("v", 0), 0, 2))
    assert join_runs([ChannelRange(("w", 0), 0, 2), ChannelRange(("w", 0), 2, 3)]) == (
        ChannelRange(("w", 0), 0, 5),
    )


def test_huge_axes_are_not_written_out():
    huge = own(("w", 0), 2**62, 1)
    assert written_out(huge.spread(2)) is None
    assert stretch(huge, 0, 2**61) is not None
    assert aligned(huge.spread(2), own(("v", 0), 2**63, 1)) is None


def moved(sizes: list[int], axis: int, after: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """For each position after a reshape, the channel that lies there and its place in the row."""
    index = np.arange(sizes[axis]).reshape([-1 if i == axis else 1 for i in range(len(sizes))])
    return np.broadcast_to(index, sizes).reshape(after), index


def factorings(rng: random.Random, total: int) -> list[int]:
    sizes = []
    while total > 1 and len(sizes) < 4:
        divisors = [d for d in range(1, total + 1) if total % d == 0]
        sizes.append(rng.choice(divisors))
        total //= sizes[-1]
    return [*sizes, total] if total > 1 else sizes or [1]


@pytest.mark.parametrize("seed", range(300))
def test_reshapes_agree_with_numpy(seed):
    """Where the channels are said to lie, numpy finds them (ties between rows applied)."""
    rng = random.Random(seed)
    sizes = [rng.choice([1, 2, 3, 4, 6]) for _ in range(rng.randint(2, 4))]
    axis = rng.randrange(len(sizes))
    after = factorings(rng, int(np.prod(sizes)))
    found = regroup(own(("w", 0), sizes[axis], axis), sizes, after)
    if found is None:
        return
    real, _ = moved(sizes, axis, after)
    row = sizes[axis] // found.rows
    said = np.array([c[1] for c in channels(found.layout)])
    shape = [-1 if i == found.layout.axis else 1 for i in range(len(after))]
    assert found.layout.extent == after[found.layout.axis]
    assert (real % row == said.reshape(shape)).all()


@pytest.mark.parametrize(
    ("before", "axis", "after", "expected"),
    [
        ([-1, 116, -1, -1], 1, [-1, 2, 58, -1, -1], (2, 58, 1, 1, 2)),
        ([-1, 64, 7, 7], 1, [-1, 3136], (1, 64, 49, 1, 1)),
        ([-1, 7, 7, 64], 3, [-1, 3136], (1, 64, 1, 49, 1)),
        ([-1, 58, 2, 28, 28], 1, [-1, 116, 28, 28], (1, 58, 2, 1, 1)),
        ([-1, 49, 64], 2, [-1, 64], (1, 64, 1, 1, 1)),
        ([-1, 64, -1, -1], 1, [-1, 64, -1], (1, 64, 1, 1, 1)),
        ([-1, 256], 1, [-1, 256, 1, 1], (1, 256, 1, 1, 1)),
        ([-1, 6, 4], 1, [-1, 6, 2], None),
        ([-1, 6, 4], 1, [-1, 4, 6], None),
    ],
)
def test_the_reshapes_of_real_networks(before, axis, after, expected):
    size = 58 if before == [-1, 58, 2, 28, 28] else before[axis]
    found = regroup(own(("w", 0), size, axis), before, after)
    if expected is None:
        assert found is None
        return
    at, row, inner, outer, rows = expected
    assert found is not None and found.rows == rows
    layout = found.layout
    assert (layout.axis, layout.size, layout.inner, layout.outer) == (at, row, inner, outer)
