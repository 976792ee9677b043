"""Inputs for a trial run, and how far the outputs of two runs are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The largest difference that counts as equal, as a share of the largest value.
EQUAL = 1e-5
# H and W of a trial where a program leaves them open.
TRIAL_SIZE = 96
# Outputs below this everywhere count as this large, so that zeros divide by no zero.
_LEAST = 1e-6


def trial_input(rng: np.random.Generator, shape: Sequence[int], dtype: str) -> NDArray[Any]:
    """Random numbers for a map, ones for what is fed beside it.

    Args:
        rng: makes the numbers.
        shape: that a program declares; where it is open, the batch is 1 and all else `TRIAL_SIZE`.
        dtype: as a program names it; bfloat16, which numpy lacks, is fed as float32.
    """
    sizes = [1 if i == 0 and s < 0 else TRIAL_SIZE if s < 0 else s for i, s in enumerate(shape)]
    kind = np.dtype("float32" if dtype == "bfloat16" else dtype)
    if kind.kind == "f" and len(sizes) == 4:
        return rng.normal(size=sizes).astype(kind)
    return np.ones(sizes, kind)


def largest_difference(found: Sequence[NDArray[Any]], wanted: Sequence[NDArray[Any]]) -> float:
    """The largest `relative_difference` of the outputs of two runs.

    Args:
        found: of any shapes, in the order of `wanted`.
        wanted: the reference; where it has more or fewer outputs, the difference is infinite.
    """
    if len(found) != len(wanted):
        return float("inf")
    return max(map(relative_difference, found, wanted), default=0.0)


def relative_difference(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    """The largest difference as a share of the largest value that was wanted.

    Args:
        found: of any shape.
        wanted: the reference; where its shape is another one, the difference is infinite.
    """
    if found.shape != wanted.shape:
        return float("inf")
    if not wanted.size:
        return 0.0
    a, b = found.astype(np.float64), wanted.astype(np.float64)
    return float(np.abs(a - b).max() / max(np.abs(b).max(), _LEAST))
