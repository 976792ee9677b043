"""Attributes of ops as plain numbers."""

from __future__ import annotations

from graphprobe.ir import Op


def number(op: Op, name: str, usual: float) -> float:
    """A number; `usual` where the op does not have it."""
    value = op.attrs.get(name)
    return float(value) if isinstance(value, int | float) else usual
