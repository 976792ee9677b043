"""Weights of a part of a network, as of a backbone: which parameters they are."""

from __future__ import annotations

import logging
from collections import Counter

from graphprobe.data.sample import Arrays
from graphprobe.errors import CheckpointError, listed
from graphprobe.training.weights.read import Shapes, Weights, shape_of

LOGGER = logging.getLogger("graphprobe")


def match_partial_weights(found: Weights, wanted: Shapes, *, where: str) -> Arrays:
    """The arrays that a program has parameters for, under its names; their number is logged.

    Tried in this order, each for the whole file: the names as they are; one prefix before all of
    them (the file of a backbone has ``res2.res2a...``, a detector ``backbone.res2.res2a...``); the
    parameters' own names, which Paddle 2.x writes beside those of a layer. The second and third
    must name more than half of the file, all in their shapes: the rest is a classifier.

    Args:
        found: what was read.
        wanted: names and shapes of the program.
        where: what messages call the file.

    Raises:
        CheckpointError: there are none, or those of a part are of another shape.
    """
    arrays, called = found.arrays, found.names
    if fit := {n: a for n, a in arrays.items() if _fits(n, a, wanted)}:
        _log(fit, wanted, "", where)
        return fit
    prefix = _prefix(arrays, wanted)
    as_named = f"with {prefix} before each name" if prefix else "with its names as they are"
    ways = {
        as_named: {f"{prefix}{n}": a for n, a in arrays.items()},
        "by the parameters' own names, which it holds too": {
            called.get(n, n): a for n, a in arrays.items()
        },
    }
    for how, named in ways.items():
        fit = {name: array for name, array in named.items() if name in wanted}
        if 2 * len(fit) > len(arrays):
            _refuse_other_shapes(fit, wanted, how, where)
            _log(fit, wanted, f", {how}", where)
            return fit
    raise CheckpointError(
        "none of its parameters has a name and shape of the program",
        where=where,
        hint=f"it holds {listed(sorted(arrays))}" if arrays else "it holds none",
    )


def _fits(name: str, array: object, wanted: Shapes) -> bool:
    return name in wanted and shape_of(array) == tuple(wanted[name])


def _prefix(arrays: Arrays, wanted: Shapes) -> str:
    """What makes the most of the file's names those of the program.

    Empty where nothing does, or two make as many: that would be a guess.
    """
    counts: Counter[str] = Counter()
    for name in wanted:
        places = name.split(".")
        for at in range(1, len(places)):
            if ".".join(places[at:]) in arrays:
                counts[".".join(places[:at]) + "."] += 1
    best = [prefix for prefix, count in counts.items() if count == max(counts.values())]
    return best[0] if len(best) == 1 else ""


def _refuse_other_shapes(fit: Arrays, wanted: Shapes, how: str, where: str) -> None:
    wrong = [
        f"{name} is {shape_of(array)}, not {tuple(wanted[name])}"
        for name, array in fit.items()
        if not _fits(name, array, wanted)
    ]
    if wrong:
        raise CheckpointError(
            f"{how}, {len(wrong)} are of another shape: {listed(wrong)}",
            where=where,
            hint="take the weights of this backbone, in its depth and width",
        )


def _log(fit: Arrays, wanted: Shapes, how: str, where: str) -> None:
    LOGGER.info("%s: %d of %d parameters taken%s", where, len(fit), len(wanted), how)
