"""What a bundled model declares and what building it gives. Nothing here imports paddle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

OptionValue: TypeAlias = bool | int | float | str
InputSpec: TypeAlias = tuple[str, tuple[int, ...], str]

MODES = ("train", "eval", "infer")
# The task of a network from a file, whose outputs have no meaning that is known: it learns from a
# teacher.
EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class Built:
    """A model as a pair of paddle programs, with what a trainer must know of it.

    Args:
        main: the paddle.static.Program to run.
        startup: the program that sets the parameters' first values.
        feeds: (name, shape, dtype) of each input, in the published order; -1 where dynamic.
        loss: the variable to minimize; None outside of mode train, and of a network from a file.
        outputs: what to fetch: role -> variable name. In mode train the terms of the loss.
        task: ``detection``, ``segmentation``, or `EXPORTED`.
        meta: settings that data and evaluation share with the network (see docs/zoo.md).
    """

    main: Any
    startup: Any
    feeds: tuple[InputSpec, ...]
    loss: str | None
    outputs: dict[str, str]
    task: str
    meta: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Graph:
    """What a model's build function leaves in the current default program.

    Args:
        feeds: the input variables.
        outputs: role -> variable.
        loss: the variable to minimize, in mode train.
        meta: see `Built`.
    """

    feeds: tuple[Any, ...]
    outputs: dict[str, Any]
    loss: Any = None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ZooModel:
    """One bundled model.

    Args:
        name: as in ``zoo:NAME``; the same as its file.
        task: ``detection`` or ``segmentation``.
        defaults: every option that it takes, with the published value.
        build: all options, mode among them -> Graph, built into the default programs.
        check: option values that only this model refuses: raises LoadError.
    """

    name: str
    task: str
    defaults: Mapping[str, OptionValue]
    build: Callable[[Mapping[str, Any]], Graph]
    check: Callable[[Mapping[str, Any]], None] | None = None
