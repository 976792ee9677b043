"""PaddleSlim's Pruner as the engine of a cut, held to the plan.

The Pruner skips in silence what it cannot cut, and cuts what it finds beside it, so every parameter
of the program is compared with the plan afterwards; where one differs, the values are put back and
the reason is returned.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from graphprobe.config import GroupConfig, PruneSection
from graphprobe.training.networks.forward import parameters
from graphprobe.training.pruning.plan import Array


def paddleslim_can(section: PruneSection) -> str:
    """Why PaddleSlim cannot make a cut, or an empty string."""
    if section.criterion != "l1_norm":
        return f"PaddleSlim does not rank by {section.criterion}"
    if section.policy != "seeds":
        return "PaddleSlim does not cut through concat, split and slice"
    return ""


def cut_with_paddleslim(
    program: Any,
    scope: Any,
    section: PruneSection,
    wanted: dict[str, Array],
    place: Any,
) -> str:
    """Let the Pruner cut the values in a scope (the program stays as it is).

    Args:
        program: a forward paddle program.
        scope: its values.
        section: what is cut.
        wanted: parameter -> value after the cut.
        place: where the values lie.

    Returns:
        What came out otherwise, the values being as before; empty where all is as planned.
    """
    before = {name: np.array(scope.find_var(name).get_tensor()) for name in parameters(program)}
    params, ratios = _request(section)
    with _hushed():
        from paddleslim.prune import Pruner

        Pruner(criterion="l1_norm").prune(program, scope, params, ratios, place=place)
    wrong = [
        name
        for name, value in {**before, **wanted}.items()
        if not np.array_equal(np.array(scope.find_var(name).get_tensor()), value)
    ]
    if not wrong:
        return ""
    for name, value in before.items():
        scope.find_var(name).get_tensor().set(value, place)
    return f"PaddleSlim left {len(wrong)} parameters otherwise than planned (first: {wrong[0]})"


def _request(section: PruneSection) -> tuple[list[str], list[float]]:
    """Names, and ratios that come to the numbers of channels that the plan removes."""
    wanted = [(group.convs[0], _share(section, group)) for group in section.groups]
    return [name for name, share in wanted if share], [share for _, share in wanted if share]


def _share(section: PruneSection, group: GroupConfig) -> float:
    total = sum(part.channels for part in group.parts)
    kept = section.kept(group)
    return (total - kept) / total


@contextmanager
def _hushed() -> Iterator[None]:
    """PaddleSlim logs a line for each parameter and changes the root logger; keep both quiet."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(previous)
