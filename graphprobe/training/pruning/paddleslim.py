"""PaddleSlim's Pruner as the engine of a pruning (``prune.engine: paddleslim``), held to the plan.

It is the reference that our own cutter is tested against. The Pruner skips in silence what it
cannot prune, and prunes what it finds beside it, so every parameter of the program is compared with
the plan afterwards; where one differs, the values are put back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from graphprobe.config import GroupConfig, PruneSection
from graphprobe.errors import TrainError
from graphprobe.training.pruning.ranking import Array
from graphprobe.training.runtime.dependencies import require_paddleslim
from graphprobe.training.runtime.programs import state_shapes


def paddleslim_cannot(section: PruneSection) -> str:
    """Why PaddleSlim cannot do a pruning, or an empty string."""
    if section.criterion != "l1_norm":
        return f"PaddleSlim does not rank by {section.criterion}"
    if section.policy != "seeds" and _joins_or_splits(section):
        return "PaddleSlim does not prune through concat, split and slice"
    return ""


def _joins_or_splits(section: PruneSection) -> bool:
    """Whether channels lie behind others on an axis (concat), or a split or slice counts them."""
    parts = [part for group in section.groups for part in group.parts]
    behind = any(not cut.at.startswith("0") for part in parts for cut in part.cuts)
    return behind or any(
        count.attr in ("sections", "starts", "ends") for part in parts for count in part.counts
    )


def cut_with_paddleslim(
    program: Any,
    scope: Any,
    section: PruneSection,
    wanted: dict[str, Array],
    place: Any,
) -> None:
    """Let the Pruner prune the values in a scope (the program stays as it is).

    Args:
        program: a forward paddle program.
        scope: its values.
        section: what is pruned.
        wanted: parameter -> value after pruning.
        place: where the values lie.

    Raises:
        TrainError: PaddleSlim cannot do this pruning, or did another one; the values are as before.
        MissingDependency: it is not installed.
    """
    require_paddleslim("prune.engine: paddleslim", "prune.engine=own")
    if reason := paddleslim_cannot(section):
        raise _refused(reason)
    before = {name: np.array(scope.find_var(name).get_tensor()) for name in state_shapes(program)}
    params, ratios = _request(section)
    with _hushed():
        from paddleslim.prune import Pruner

        try:
            Pruner(criterion="l1_norm").prune(program, scope, params, ratios, place=place)
        except AssertionError as error:
            _put_back(scope, before, place)
            raise _refused("PaddleSlim fails on an op that these channels reach") from error
    wrong = [
        name
        for name, value in {**before, **wanted}.items()
        if not np.array_equal(np.array(scope.find_var(name).get_tensor()), value)
    ]
    if not wrong:
        return
    _put_back(scope, before, place)
    raise _refused(f"PaddleSlim left {len(wrong)} parameters otherwise than planned ({wrong[0]})")


def _put_back(scope: Any, values: dict[str, Array], place: Any) -> None:
    for name, value in values.items():
        scope.find_var(name).get_tensor().set(value, place)


def _refused(reason: str) -> TrainError:
    return TrainError(reason, where="prune.engine", hint="set prune.engine to own")


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
