"""Multiply-adds and numbers of parameters of a program, before and after a cut."""

from __future__ import annotations

from graphprobe.ops.work import (
    DEFAULT_IMAGE,
    NetworkSize,
    Work,
    multiply_adds,
    network_size,
    weight_uses,
    work_text,
)

__all__ = [
    "DEFAULT_IMAGE",
    "NetworkSize",
    "Work",
    "multiply_adds",
    "network_size",
    "weight_uses",
    "work_text",
]
