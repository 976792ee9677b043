"""The networks of one command: each program is read once, each mode built once, pruned once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from graphprobe.config import PruneSection
from graphprobe.formats import load_bytes
from graphprobe.ir import Program
from graphprobe.model import Model
from graphprobe.programs import LoadedProgram, ProgramCache, load_result, made_once
from graphprobe.pruning.plan import PrunePart, PrunePlan
from graphprobe.training.networks.exported import ExportedProgram
from graphprobe.training.networks.own_model import build_own
from graphprobe.training.pruning.cutter import pruned_shapes, replay_plan
from graphprobe.training.runtime.programs import copy_program, plain_bytes
from graphprobe.user_code import ZOO, is_code, is_file, run_code
from graphprobe.waits import waiting_for
from graphprobe.zoo import Built, build_zoo, parse_zoo

T = TypeVar("T")


class NetworkSource:
    """One program as a network, in every mode that a command needs.

    What `build` and `pruned` return is shared: run it, read it, but change a `copy_built` of it.

    Args:
        text: a PROGRAM: ``zoo:NAME``, ``package.module:callable``, or an exported program with its
            parameters beside it.
        programs: where the program is loaded from when its ops are asked for.
    """

    def __init__(self, text: str, programs: ProgramCache) -> None:
        self.text = text
        self._programs = programs
        self._built: dict[str, Built] = {}
        self._pruned: dict[tuple[str, PrunePlan], Built] = {}
        self._contents: dict[PrunePlan | None, bytes] = {}
        self._returned: dict[str, Any] = {}

    @property
    def loaded(self) -> LoadedProgram:
        """The program as it is read, for fingerprints, sizes and pairs."""
        if is_code(self.text) and self.text not in self._programs:
            return self._programs.load(load_result(self.run("train"), self.text))
        return self._programs.load(self.text)

    @property
    def is_trainable(self) -> bool:
        """Whether it can be built to be trained: a bare ``Program`` cannot, nor a file alone."""
        if is_code(self.text):
            return isinstance(self.run("train"), Model)
        return self.exported is None or self.exported.has_weights

    @cached_property
    def exported(self) -> ExportedProgram | None:
        """The exported program in a file, with its parameters; None for all others."""
        return ExportedProgram(self.text, self.loaded.program) if is_file(self.text) else None

    def run(self, mode: str) -> Any:
        """What the user's function returns for a mode; it is called once for each.

        Raises:
            LoadError: there is no such function, or it failed.
        """
        if mode not in self._returned:
            self._returned[mode] = run_code(self.text, mode)
        return self._returned[mode]

    def build(self, mode: str) -> Built:
        """The whole network in a mode.

        Args:
            mode: ``train``, ``eval`` or ``infer``.

        Raises:
            LoadError: no such model or option, the user's function failed, or an exported program
                cannot be trained.
        """
        if mode not in self._built:
            with waiting_for(f"building {self.text}"):
                self._built[mode] = self._build(mode)
        return self._built[mode]

    def _build(self, mode: str) -> Built:
        if self.text.startswith(ZOO):
            return build_zoo(parse_zoo(self.text), mode)
        if is_code(self.text):
            return build_own(self.text, mode, self.run(mode))
        assert self.exported is not None  # noqa: S101 - it is neither bundled nor code
        return self.exported.build(mode)

    def pruned(self, mode: str, plan: PrunePlan | None) -> Built:
        """The network in a mode, with the shapes that a plan leaves; the whole one for None.

        Which channels go does not change the shapes, so plans that differ in that alone share it.

        Raises:
            TrainError: the plan is of another program.
        """
        if plan is None:
            return self.build(mode)
        key = (mode, _first_channels(plan))
        if key not in self._pruned:
            built = copy_built(self.build(mode))
            replay_plan(built.main, plan, built.startup)
            self._pruned[key] = built
        return self._pruned[key]

    def pruned_content(self, plan: PrunePlan | None) -> bytes:
        """The ProgramDesc of the network with the shapes that a plan leaves.

        Of an exported program that is the program as it was exported, with its inputs and outputs.

        Raises:
            TrainError: the plan is of another program.
        """
        if self.exported is None:
            return plain_bytes(self.pruned("train", plan).main)
        key = None if plan is None else _first_channels(plan)
        if key not in self._contents:
            self._contents[key] = self.exported.pruned_content(plan)
        return self._contents[key]

    def after(self, section: PruneSection) -> Program:
        """The program as it will be after a pruning, to find pairs in; no weights are needed.

        Raises:
            ConfigError: the pruning does not fit the program.
        """
        plan = pruned_shapes(self.build("train").main, section)
        return load_bytes(self.pruned_content(plan), self.text)


class Networks:
    """The networks of one command, by the names of their programs.

    Args:
        programs: the programs that the command has loaded already.
    """

    def __init__(self, programs: ProgramCache | None = None) -> None:
        self.programs = programs if programs is not None else ProgramCache()
        self._sources: dict[str, NetworkSource] = {}
        self._made: dict[Hashable, Any] = {}

    def source(self, text: str) -> NetworkSource:
        """The network of a PROGRAM; the same text gives the same one."""
        if text not in self._sources:
            self._sources[text] = NetworkSource(text, self.programs)
        return self._sources[text]

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made on the first call with this key and kept."""
        return made_once(self._made, key, make)

    def take(self, key: Hashable, make: Callable[[], T]) -> T:
        """As `once`, for the last one who needs it: it is not kept any longer."""
        found = self.once(key, make)
        del self._made[key]
        return found


def copy_built(built: Built) -> Built:
    """The same network with programs of its own, which may be changed."""
    return replace(built, main=copy_program(built.main), startup=copy_program(built.startup))


def _first_channels(plan: PrunePlan) -> PrunePlan:
    """The plan that removes as many channels of each part, the first ones."""

    def first(part: PrunePart) -> PrunePart:
        return replace(part, removed=tuple(range(len(part.removed or ()))))

    groups = (replace(g, ratio=0.0, parts=tuple(map(first, g.parts))) for g in plan.groups)
    return replace(plan, groups=tuple(groups))
