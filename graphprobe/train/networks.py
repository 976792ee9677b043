"""From a program's name in a config to paddle programs that can be trained and evaluated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np  # noqa: F401 - must come before paddle: scipy after paddle alone crashes
import paddle

from graphprobe.config import ProgramRef, check_fingerprint
from graphprobe.errors import ConfigError, Problem
from graphprobe.programs import ZOO, load_program
from graphprobe.train.arrays import Arrays
from graphprobe.train.engine import set_values
from graphprobe.train.weights import Shapes, check_weights, read_weights
from graphprobe.zoo import Built, build_zoo, parse_zoo


@dataclass(frozen=True)
class Network:
    """A built network and the scope that holds its values.

    Args:
        key: its place in the config, ``student`` or ``teacher``.
        ref: what the config says of it.
        built: its programs.
        scope: the values of its variables.
    """

    key: str
    ref: ProgramRef
    built: Built
    scope: Any

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
        ConfigError: it is not a bundled model.
        LoadError: no such model or option.
    """
    if not ref.program.startswith(ZOO):
        raise ConfigError(
            [Problem(f"{key}.program", f"{ref.program} cannot be trained here")],
            where=where,
            hint="name a bundled model, as zoo:yolov3_mobilenet_v1?num_classes=3",
        )
    return build_zoo(parse_zoo(ref.program), mode)


def open_network(ref: ProgramRef, key: str, *, where: str = "") -> Network:
    """Hold a config's fingerprint against its program, then build it for training."""
    if ref.fingerprint is not None:
        check_fingerprint(ref, load_program(ref.program), key=key, where=where)
    return Network(key, ref, build(ref, "train", key=key, where=where), paddle.static.Scope())


def initialize(network: Network, place: Any, seed: int) -> None:
    """Give every parameter its first value, the same for the same seed."""
    paddle.seed(seed)
    paddle.static.Executor(place).run(network.built.startup, scope=network.scope)


def load_into(network: Network, place: Any, path: str) -> None:
    """Put trained weights into a network.

    Raises:
        CheckpointError: they cannot be read, or are of another model.
    """
    wanted = network.shapes()
    found = read_weights(Path(path).expanduser(), wanted)
    put_weights(network.scope, place, found, wanted, where=f"{network.key}.weights {path}")


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
