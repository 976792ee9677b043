"""What one operator's function is, and the attributes of ops as plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from numpy.typing import NDArray

from graphprobe.ir import Op

Array: TypeAlias = NDArray[Any]
# The arrays of each input slot.
SlotArrays: TypeAlias = Mapping[str, list[Array]]
# An op and its inputs -> the arrays of its output slots.
Run: TypeAlias = Callable[[Op, SlotArrays], dict[str, list[Array]]]


def number(op: Op, name: str, usual: float) -> float:
    """A number; `usual` where the op does not have it."""
    value = op.attrs.get(name)
    return float(value) if isinstance(value, int | float) else usual
