"""From a program's name in a config to paddle programs that can be trained and evaluated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np  # noqa: F401 - must come before paddle: scipy after paddle alone crashes
import paddle

from graphprobe.config import ProgramRef, check_fingerprint
from graphprobe.data.sample import Arrays
from graphprobe.pruning.plan import PrunePlan
from graphprobe.pruning.plan_json import plan_from_json
from graphprobe.training.networks.source import Networks, NetworkSource, copy_built
from graphprobe.training.runtime.programs import (
    get_values,
    set_values,
    state_shapes,
    state_types,
)
from graphprobe.training.weights.number_types import as_types
from graphprobe.training.weights.partial import match_partial_weights
from graphprobe.training.weights.read import Shapes, Weights, check_weights, locate, read_weights
from graphprobe.waits import waiting_for
from graphprobe.zoo import Built


@dataclass(frozen=True)
class Network:
    """A built network and the scope that holds its values.

    Args:
        key: its place in the config, ``student`` or ``teacher``.
        ref: its entry in the config.
        source: builds it in other modes.
        built: its programs.
        scope: the values of its variables.
        plan: the pruning that it has been through, or None.
        class_names: of the data that its weights were trained on, where they name them.
    """

    key: str
    ref: ProgramRef
    source: NetworkSource
    built: Built
    scope: Any
    plan: PrunePlan | None = None
    class_names: tuple[str, ...] = ()

    @property
    def main(self) -> Any:
        """Its paddle program."""
        return self.built.main

    @property
    def feed_names(self) -> list[str]:
        """Its inputs, in order."""
        return [name for name, _, _ in self.built.feeds]

    @property
    def has_weights(self) -> bool:
        """Whether it begins with trained weights, named in the config or beside the program."""
        return self.ref.weights is not None or self.source.exported is not None

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Parameters and statistics by name, as the program states them."""
        return state_shapes(self.main)

    def reshaped(self, plan: PrunePlan | None) -> Network:
        """The same with programs of its own, of the shapes that a plan leaves."""
        built = copy_built(self.source.pruned("train", plan))
        return replace(self, built=built, plan=plan)

    def copy(self, place: Any) -> Network:
        """The same with programs and values of its own: a trial leaves this one as it is."""
        scope = paddle.static.Scope()
        set_values(scope, place, get_values(self.scope, self.shapes()))
        return replace(self, built=copy_built(self.built), scope=scope)


def open_network(
    ref: ProgramRef, key: str, *, networks: Networks | None = None, where: str = ""
) -> Network:
    """Hold a config's fingerprint against its program, then build it for training."""
    source = (networks if networks is not None else Networks()).source(ref.program)
    if ref.fingerprint is not None:
        check_fingerprint(ref, source.loaded.program, key=key, where=where)
    built = source.build("train")
    return Network(key, ref, source, built, paddle.static.Scope())


def fill(network: Network, place: Any, seed: int, *, plan: PrunePlan | None = None) -> Network:
    """Give every parameter its first value, or that of the weights which the config names.

    Args:
        network: as `open_network` gives it.
        place: where the values lie.
        seed: the same one gives the same first values.
        plan: of a run that goes on; its weights are loaded later.

    Returns:
        the network with programs of its own, pruned where its weights have been.

    Raises:
        CheckpointError: the weights cannot be read, or are of another model.
    """
    given, name = None, network.ref.weights
    if plan is None and name is not None:
        path = locate(name)
        given = read_weights(path, network.shapes())
        plan = plan_of(given.prune, str(path))
    elif plan is None and network.source.exported is not None:
        given, name = Weights(network.source.exported.values), network.ref.program
    network = network.reshaped(plan)
    paddle.seed(seed)
    with waiting_for(f"filling the {network.key} with its first values"):
        paddle.static.Executor(place).run(network.built.startup, scope=network.scope)
    if given is not None:
        where = f"{network.key}.weights {name}"
        arrays, wanted = given.arrays, network.shapes()
        if network.ref.partial:
            arrays = match_partial_weights(given, wanted, where=where)
            wanted = {name: wanted[name] for name in arrays}
        else:
            left_out = network.built.meta.get("left_out", ())
            arrays = {n: array for n, array in arrays.items() if n not in left_out}
        put_weights(network.scope, place, arrays, wanted, network.built.main, where=where)
        network = replace(network, class_names=given.class_names)
    return network


def plan_of(document: Any, where: str) -> PrunePlan | None:
    """The pruning that a checkpoint records, or None."""
    return None if document is None else plan_from_json(document, where=where)


def put_weights(
    scope: Any, place: Any, found: Arrays, wanted: Shapes, program: Any, *, where: str
) -> None:
    """Check arrays against what a paddle program wants, then set them in its types of number.

    Raises:
        CheckpointError: they are of another model, or numbers of another kind.
    """
    check_weights(found, wanted, where=where)
    set_values(scope, place, as_types(found, state_types(program), where=where))
