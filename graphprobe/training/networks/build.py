"""From a program's name in a config to paddle programs that can be trained and evaluated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np  # noqa: F401 - must come before paddle: scipy after paddle alone crashes
import paddle

from graphprobe.config import ProgramRef, check_fingerprint
from graphprobe.errors import ConfigError, Problem
from graphprobe.programs import load_program
from graphprobe.pruning.plan import PrunePlan
from graphprobe.pruning.plan_json import plan_from_json
from graphprobe.training.networks.own_model import build_own
from graphprobe.training.pruning.cutter import replay_plan
from graphprobe.training.runtime.step import set_values
from graphprobe.training.weights.arrays import Arrays
from graphprobe.training.weights.partial import match_partial_weights
from graphprobe.training.weights.read import Shapes, check_weights, locate, read_weights
from graphprobe.user_code import ZOO, is_code
from graphprobe.zoo import Built, build_zoo, parse_zoo


@dataclass(frozen=True)
class Network:
    """A built network and the scope that holds its values.

    Args:
        key: its place in the config, ``student`` or ``teacher``.
        ref: what the config says of it.
        built: its programs.
        scope: the values of its variables.
        plan: the cut that it has been through, or None.
    """

    key: str
    ref: ProgramRef
    built: Built
    scope: Any
    plan: PrunePlan | None = None

    @property
    def main(self) -> Any:
        """Its paddle program."""
        return self.built.main

    @property
    def feed_names(self) -> list[str]:
        """Its inputs, in order."""
        return [name for name, _, _ in self.built.feeds]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Parameters and statistics by name, as the program states them."""
        return state_shapes(self.main)


def build(ref: ProgramRef, mode: str, *, key: str = "student", where: str = "") -> Built:
    """Build the network that a config names.

    Raises:
        ConfigError: it is a file, which does not say what its inputs mean.
        LoadError: no such model or option, or the user's function failed.
    """
    if ref.program.startswith(ZOO):
        return build_zoo(parse_zoo(ref.program), mode)
    if is_code(ref.program):
        return build_own(ref.program, mode)
    raise ConfigError(
        [Problem(f"{key}.program", f"{ref.program} is a file, which cannot be trained")],
        where=where,
        hint="name a bundled model, as zoo:yolov3_r34, or your own function, as module:build",
    )


def build_cut(ref: ProgramRef, mode: str, plan: PrunePlan | None, *, where: str = "") -> Built:
    """Build a network and replay the cut that its weights came out of."""
    built = build(ref, mode, where=where)
    if plan is not None:
        replay_plan(built.main, plan, built.startup)
    return built


def open_network(ref: ProgramRef, key: str, *, where: str = "") -> Network:
    """Hold a config's fingerprint against its program, then build it for training."""
    if ref.fingerprint is not None:
        check_fingerprint(ref, load_program(ref.program), key=key, where=where)
    return Network(key, ref, build(ref, "train", key=key, where=where), paddle.static.Scope())


def fill(network: Network, place: Any, seed: int, *, plan: PrunePlan | None = None) -> Network:
    """Give every parameter its first value, or that of the weights which the config names.

    Args:
        network: as built.
        place: where the values lie.
        seed: the same one gives the same first values.
        plan: of a run that goes on; its weights are loaded later.

    Returns:
        the network, with the cut of its weights where they have been through one.

    Raises:
        CheckpointError: the weights cannot be read, or are of another model.
    """
    given = None
    if plan is None and network.ref.weights is not None:
        path = locate(network.ref.weights)
        given = read_weights(path, network.shapes())
        plan = plan_of(given.prune, str(path))
    if plan is not None:
        replay_plan(network.main, plan, network.built.startup)
    paddle.seed(seed)
    paddle.static.Executor(place).run(network.built.startup, scope=network.scope)
    if given is not None:
        where = f"{network.key}.weights {network.ref.weights}"
        arrays, wanted = given.arrays, network.shapes()
        if network.ref.partial:
            arrays = match_partial_weights(given, wanted, where=where)
            wanted = {name: wanted[name] for name in arrays}
        put_weights(network.scope, place, arrays, wanted, where=where)
    return replace(network, plan=plan)


def plan_of(document: Any, where: str) -> PrunePlan | None:
    """The cut that a checkpoint records, or None."""
    return None if document is None else plan_from_json(document, where=where)


def put_weights(scope: Any, place: Any, found: Arrays, wanted: Shapes, *, where: str) -> None:
    """Check arrays against what a program wants, then set them."""
    check_weights(found, wanted, where=where)
    set_values(scope, place, found)


def state_shapes(program: Any) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the persistable tensors that a paddle program holds."""
    return {var.name: tuple(var.shape) for var in persistables(program.list_vars())}


def persistables(variables: Iterable[Any]) -> list[Any]:
    """Parameters, statistics and the like; not feed and fetch lists."""
    tensor = paddle.base.core.VarDesc.VarType.LOD_TENSOR
    return [var for var in variables if var.persistable and var.type == tensor]
