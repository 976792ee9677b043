"""What training compares a network with, one file a kind; numpy alone, run in the data workers."""

from __future__ import annotations

from graphprobe.data.sample import Arrays
from graphprobe.data.target_kinds._base import Meta, Objects, TargetKind
from graphprobe.registry import discover

__all__ = ["Arrays", "Meta", "Objects", "TargetKind", "target_kinds"]


def target_kinds() -> dict[str, TargetKind]:
    """Every kind of target by name."""
    return discover("graphprobe.data.target_kinds", "TARGETS", TargetKind)
