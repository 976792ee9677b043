"""Try a pruning config without training: cut, run one batch, count, and prove group by group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graphprobe.config import PruneConfig, PruneSection, check_fingerprint
from graphprobe.errors import ConfigError, GraphprobeError, Problem
from graphprobe.ops.work import NetworkSize, network_size
from graphprobe.programs import load_program
from graphprobe.training.networks.forward import Forward, open_forward
from graphprobe.training.pruning.cutter import PruneSummary, apply_prune
from graphprobe.training.pruning.plan import Array
from graphprobe.training.reporting.progress import now_and_then

# The largest difference, as a share of the largest output, that still counts as rounding.
TOLERANCE = 1e-4
# A deep network with random weights can blow rounding up beyond that. The outputs' answer to a
# change of the picture's last bits shows by how much; a cut reorders more sums than that does.
OF_LAST_BITS = 10


@dataclass(frozen=True, slots=True)
class GroupRow:
    """What is left of one group.

    Args:
        conv: the filter of its first convolution.
        convs: how many convolutions it has.
        before: channels.
        after: channels that stay.
        difference: of the outputs from those of the network whose removed channels are masked,
            as a share of the largest output; None where it was not proven.
    """

    conv: str
    convs: int
    before: int
    after: int
    difference: float | None = None


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What a pruning config comes to.

    Args:
        groups: what is left of each group.
        changed: parameter -> shape before and after.
        before: size of the network.
        after: size after the cut.
        engine: who cut; empty where nothing was cut.
        outputs: variable -> its shape, of the forward run after the cut.
        problems: why the check fails; empty where it passes.
        notes: what is worth knowing.
    """

    groups: tuple[GroupRow, ...]
    changed: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    before: NetworkSize
    after: NetworkSize
    engine: str
    outputs: dict[str, tuple[int, ...]]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether training may start."""
        return not self.problems


def check_prune(
    config: PruneConfig,
    *,
    prove: bool = False,
    where: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> PruneReport:
    """Cut the config's network (with random weights where none are at hand) and run it once.

    Args:
        config: what is cut.
        prove: also cut each group alone and compare it with the masked network.
        where: the config's file.
        say: takes lines of progress.

    Raises:
        ConfigError: the config is for another program.
        LoadError: the program cannot be built or read.
    """
    program = load_program(config.student.program)
    check_fingerprint(config.student, program, key="student", where=where)
    image = (config.train.image_size, config.train.image_size)
    forward = open_forward(config.student)
    try:
        summary, outputs, problems = _try(forward, config.prune, where)
    except ConfigError as error:
        size = network_size(program, image)
        return PruneReport((), {}, size, size, "", {}, error.problems, (error.hint,))
    after = {name: shape for name, (_, shape) in summary.shapes.items()}
    proof = Proof(forward, config.prune) if prove else None
    limit = TOLERANCE if proof is None else max(TOLERANCE, OF_LAST_BITS * proof.last_bits())
    rows = tuple(_rows(config.prune, summary, proof, now_and_then(say)))
    problems += _unproven(rows, limit)
    return PruneReport(
        rows,
        summary.shapes,
        network_size(program, image),
        network_size(program, image, after),
        summary.engine,
        outputs,
        tuple(problems),
        tuple(_notes(summary, limit)),
    )


def _notes(summary: PruneSummary, limit: float) -> Iterator[str]:
    if summary.note:
        yield summary.note
    if limit > TOLERANCE:
        yield (
            f"with these weights the last bits of a picture change the outputs by up to "
            f"{limit / OF_LAST_BITS:.1e}: differences up to {limit:.1e} are taken for rounding; "
            "trained weights prove more"
        )


def _try(
    forward: Forward, section: PruneSection, where: str
) -> tuple[PruneSummary, dict[str, tuple[int, ...]], list[Problem]]:
    """Cut a copy and run it; the copy is gone before anything is proven."""
    trial = forward.copy()
    summary = apply_prune(trial.program, None, trial.scope, section, where=where)
    return summary, *_run(trial)


def _run(forward: Forward) -> tuple[dict[str, tuple[int, ...]], list[Problem]]:
    try:
        results = forward.run()
    except (RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[-1]
        return {}, [Problem("prune", f"the cut network does not run: {first}")]
    named = dict(zip(forward.outputs, results, strict=True))
    wrong = [Problem("prune", f"{n} is not finite") for n, a in named.items() if not _finite(a)]
    return {name: tuple(array.shape) for name, array in named.items()}, wrong


def _unproven(rows: Sequence[GroupRow], limit: float) -> Iterator[Problem]:
    for i, row in enumerate(rows):
        if row.difference is not None and not row.difference <= limit:
            message = f"{row.conv}: the cut network differs by {row.difference:.1e}"
            yield Problem(f"prune.groups[{i}]", message)


def _finite(array: Array) -> bool:
    return bool(np.isfinite(array).all())


def _rows(
    section: PruneSection,
    summary: PruneSummary,
    proof: Proof | None,
    tell: Callable[[str], None],
) -> Iterator[GroupRow]:
    for i, group in enumerate(section.groups):
        before, after = summary.plan.channels[group.convs[0]]
        difference = proof.difference(i) if proof is not None and after < before else None
        tell(f"proof: {i + 1} of {len(section.groups)} groups")
        yield GroupRow(group.convs[0], len(group.convs), before, after, difference)


class Proof:
    """Compares networks with one group cut against the network with that group masked.

    Zeros stand where weights consume the removed channels: what a norm or an activation makes of
    a channel that is gone must not count. One scope serves all; changed values are put back, and
    pictures are small, so the memory is that of the weights and of a group's copies of them.
    """

    def __init__(self, forward: Forward, section: PruneSection) -> None:
        self.forward = forward.small()
        self.section = section

    def last_bits(self) -> float:
        """What the next larger number at every place of the inputs changes, as `difference`."""
        batch = self.forward.batch
        moved = {
            name: np.nextafter(value, np.inf, dtype=value.dtype)
            if value.dtype.kind == "f"
            else value
            for name, value in batch.items()
        }
        pairs = zip(replace(self.forward, batch=moved).run(), self.forward.run(), strict=True)
        return max((_difference(a, b) for a, b in pairs), default=0.0)

    def difference(self, group: int) -> float:
        """The largest difference of any output, over the largest value of that output."""
        part = self.section.model_copy(
            update={"groups": self.section.groups[group : group + 1], "engine": "own"}
        )
        return self.compare(part)

    def compare(self, section: PruneSection) -> float:
        """The same for any choice of groups."""
        cut = replace(self.forward, program=self.forward.program.clone())
        names = {n for g in section.groups for p in g.parts for c in p.cuts for n in c.params}
        before = {name: self._get(name) for name in names}
        try:
            plan = apply_prune(cut.program, None, cut.scope, section).plan
            results = cut.run()
            self._set(before)
            for name, axis, gone in plan.removed_inputs():
                value = self._get(name)
                value[(slice(None),) * axis + (gone,)] = 0
                self._set({name: value})
            wanted = self.forward.run()
        except (GraphprobeError, RuntimeError, ValueError):
            return float("inf")
        finally:
            self._set(before)
        pairs = zip(results, wanted, strict=True)
        return max((_difference(a, b) for a, b in pairs), default=0.0)

    def _get(self, name: str) -> Array:
        return np.array(self.forward.scope.find_var(name).get_tensor())

    def _set(self, values: dict[str, Array]) -> None:
        for name, value in values.items():
            self.forward.scope.find_var(name).get_tensor().set(value, _cpu())


def _difference(a: Array, b: Array) -> float:
    if a.shape != b.shape:
        return float("inf")
    largest = float(np.abs(a - b).max()) if a.size else 0.0
    return largest / max(float(np.abs(b).max()) if b.size else 0.0, 1e-6)


def _cpu() -> Any:
    import paddle

    return paddle.CPUPlace()
