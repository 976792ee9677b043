"""Weights in the types of number that a program has, whatever types a file keeps them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphprobe.data.sample import Arrays
from graphprobe.errors import CheckpointError, listed


def as_types(found: Arrays, wanted: Mapping[str, str], *, where: str) -> dict[str, NDArray[Any]]:
    """Arrays in the program's types: float64 of numpy's own files becomes float32, and so on.

    Args:
        found: name -> array.
        wanted: name -> type of the program's variable in numpy's words; bfloat16 is kept as it
            comes.

    Raises:
        CheckpointError: one line with every array that holds another kind of number (true and
            false, integers for floats) or a number that the program's type cannot hold.
    """
    made = {}
    wrong = []
    for name, array in found.items():
        type = wanted.get(name, str(array.dtype))
        # numpy has no bfloat16; Paddle gives and takes its 16 bits as they are
        if type in ("bfloat16", "uint16") or array.dtype == type:
            made[name] = array
            continue
        if not _same_kind(array.dtype, np.dtype(type)):
            wrong.append(f"{name} is {array.dtype}, not {type}")
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            made[name] = array.astype(type)
        if not _holds(made[name], array):
            wrong.append(f"{name} has numbers that {type} cannot hold")
    if wrong:
        raise CheckpointError(
            f"the weights hold other numbers than the program: {listed(wrong, 12, '; ')}",
            where=where,
            hint="save them in the types of the program",
        )
    return made


def _same_kind(given: np.dtype[Any], wanted: np.dtype[Any]) -> bool:
    kinds = {"f": "f", "i": "i", "u": "i", "b": "b"}
    return kinds.get(given.kind, given.kind) == kinds.get(wanted.kind, wanted.kind)


def _holds(made: NDArray[Any], given: NDArray[Any]) -> bool:
    """Whether all numbers are still what they were: equal integers, floats still finite."""
    if made.dtype.kind == "f":
        return bool((np.isfinite(made) | ~np.isfinite(given)).all())
    return bool(np.array_equal(made, given))
