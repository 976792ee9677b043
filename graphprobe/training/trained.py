"""A trained student without its training: for evaluation, inference and export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paddle

from graphprobe.config import Config, check_fingerprint
from graphprobe.pruning.plan import PrunePlan
from graphprobe.training.feeding.feeding import check_sizes
from graphprobe.training.networks.build import plan_of, put_weights
from graphprobe.training.networks.source import Networks, NetworkSource
from graphprobe.training.runtime.programs import state_shapes
from graphprobe.training.weights.checkpoint import (
    Checkpoint,
    checkpoint_folder,
    is_checkpoint,
    read_checkpoint,
)
from graphprobe.training.weights.read import (
    Shapes,
    Weights,
    locate,
    of_checkpoint,
    read_checkpoint_of_run,
    read_weights,
)
from graphprobe.zoo import Built


@dataclass(frozen=True)
class Trained:
    """A network for evaluation or inference with trained weights.

    Args:
        built: its programs.
        scope: its values.
        source: where its weights come from, for people.
        network: where its programs come from.
        plan: the pruning that it has been through, or None.
        class_names: of the data that it was trained on; empty where the weights name none.
    """

    built: Built
    scope: Any
    source: str
    network: NetworkSource
    plan: PrunePlan | None = None
    class_names: tuple[str, ...] = ()


def open_trained(
    config: Config,
    place: Any,
    mode: str,
    *,
    where: str,
    checkpoint: str = "auto",
    weights: str | None = None,
    networks: Networks | None = None,
) -> Trained:
    """Build a config's student and load what it has learned.

    Args:
        mode: ``eval`` or ``infer``.
        where: the config's file.
        checkpoint: a checkpoint's folder, or ``auto`` for the best of the config's run.
        weights: weights in any form, taken instead of a checkpoint; the program itself stands for
            the parameters beside it.
        networks: of the command.

    Raises:
        CheckpointError: there are none, they are damaged, or of another model.
        ConfigError: the config was made for another program.
    """
    network = (networks if networks is not None else Networks()).source(config.student.program)
    if config.student.fingerprint is not None:
        check_fingerprint(config.student, network.loaded.program, key="student", where=where)
    whole = state_shapes(network.build(mode).main)
    found, source = _find(config, network, checkpoint, weights, whole)
    plan = plan_of(found.prune, source)
    built = network.pruned(mode, plan)
    check_sizes(config.train, built, "student", where=where)
    scope = paddle.static.Scope()
    wanted = state_shapes(built.main)
    put_weights(scope, place, found.arrays, wanted, built.main, where=source)
    return Trained(built, scope, source, network, plan, found.class_names)


def _find(
    config: Config,
    network: NetworkSource,
    checkpoint: str,
    weights: str | None,
    wanted: Shapes,
) -> tuple[Weights, str]:
    if weights == network.text and network.exported is not None:
        return Weights(network.exported.values), weights
    if weights is not None:
        return read_weights(locate(weights), wanted), weights
    found = find_checkpoint(config, checkpoint)
    return of_checkpoint(found), str(found.path)


def find_checkpoint(config: Config, checkpoint: str) -> Checkpoint:
    """The checkpoint that `checkpoint` names: a folder, or ``auto``.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    if checkpoint == "auto":
        return read_checkpoint_of_run(Path(config.train.output))
    path = checkpoint_folder(checkpoint)
    return read_checkpoint(path) if is_checkpoint(path) else read_checkpoint_of_run(path)
