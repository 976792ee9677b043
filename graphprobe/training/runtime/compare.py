"""How far the outputs of two runs are apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Outputs below this everywhere count as this large, so that zeros divide by no zero.
_LEAST = 1e-6


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
