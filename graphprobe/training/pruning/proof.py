"""Try a pruning config without training: prune, run one batch, count, and prove group by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import paddle

from graphprobe.config import PruneConfig, PruneSection, check_fingerprint
from graphprobe.errors import ConfigError, GraphprobeError, Problem
from graphprobe.ir import Program, Shape
from graphprobe.ops.shapes.batches import images_at_once
from graphprobe.ops.work.count import NetworkSize, network_size
from graphprobe.pruning.constraints import find_channels
from graphprobe.pruning.plan import PrunePlan
from graphprobe.pruning.pruned_program import pruned_program
from graphprobe.training.networks.build import fill, open_network
from graphprobe.training.networks.forward import Forward, open_forward, pruned_forward
from graphprobe.training.networks.source import Networks, NetworkSource
from graphprobe.training.pruning.cutter import apply_prune
from graphprobe.training.pruning.ranking import Array
from graphprobe.training.reporting.progress import Log, no_log, throttle
from graphprobe.training.runtime.compare import largest_difference
from graphprobe.training.runtime.programs import get_values, set_values, state_shapes
from graphprobe.training.student import try_student

# The largest difference, as a share of the largest output, that still counts as rounding.
TOLERANCE = 1e-4
# A deep network with random weights can blow rounding up beyond that. The outputs' answer to a
# change of the image's last bits shows by how much; pruning reorders more sums than that does.
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
        after: size after pruning.
        engine: who pruned; empty where nothing was pruned.
        outputs: variable -> its shape, of the forward run after pruning.
        problems: why the check fails; empty where it passes.
        notes: what is worth knowing.
    """

    groups: tuple[GroupRow, ...]
    changed: dict[str, tuple[Shape, Shape]]
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
    place: Any = None,
    *,
    prove: bool = False,
    where: str = "",
    log: Log = no_log,
    networks: Networks | None = None,
) -> PruneReport:
    """Prune the config's network and run it once.

    A network that can be trained is the one that training will begin with: its weights, its
    pruning; a proof takes those weights too. Of a file without its parameters the graph alone is
    known, so they are random. A note of the report names those taken.

    Args:
        config: what is pruned.
        place: where the values of the trainable network lie; the CPU by default.
        prove: also prune each group alone and compare with the masked network.
        where: the config's file.
        log: takes lines of progress.
        networks: of the command; keeps what is built for the run that follows.

    Raises:
        ConfigError: the config is for another program.
        LoadError: the program cannot be built or read.
        CheckpointError: the weights that it names cannot be read, or are of another network.
    """
    networks = networks if networks is not None else Networks()
    place = place if place is not None else paddle.CPUPlace()
    source = networks.source(config.student.program)
    program = source.loaded.program
    check_fingerprint(config.student, program, key="student", where=where)
    image = config.train.input_size
    before = network_size(program, image)
    whole: Forward | None = None
    try:
        if source.is_trainable:
            student = try_student(config, place, where=where, log=log, networks=networks)
            assert student.plan is not None  # noqa: S101 - the kind is prune
            plan, trial = student.plan, pruned_forward(student)
            changed = _changed(source, plan)
        else:
            whole = open_forward(source)
            trial = whole.copy()
            summary = apply_prune(trial.program, None, trial.scope, config.prune, where=where)
            plan, changed = summary.plan, summary.shapes
    except ConfigError as error:
        return PruneReport((), {}, before, before, "", {}, error.problems, (error.hint,))
    outputs, problems = _run(trial)
    del trial  # a proof takes memory of its own
    notes: list[str] = []
    proof = None
    if prove:
        whole, weights = _whole(config, whole, place, where, networks)
        proof = Proof(whole, config.prune)
        notes.append(f"proven with {weights}")
    limit = TOLERANCE if proof is None else max(TOLERANCE, OF_LAST_BITS * proof.last_bits())
    rows = tuple(_rows(config.prune, plan, proof, throttle(log)))
    problems += _unproven(rows, limit)
    return PruneReport(
        rows,
        changed,
        before,
        network_size(pruned_program(find_channels(program), plan), image),
        "paddleslim" if config.prune.engine == "paddleslim" else "own",
        outputs,
        tuple(problems),
        (*notes, *_notes(limit), *_clips(program)),
    )


def _whole(
    config: PruneConfig, opened: Forward | None, place: Any, where: str, networks: Networks
) -> tuple[Forward, str]:
    """The whole network of a proof, and what its weights are: those that training begins with."""
    source = networks.source(config.student.program)
    if source.is_trainable:
        network = open_network(config.student, "student", networks=networks, where=where)
        if network.has_weights:
            filled = fill(network, place, config.train.seed)
            return pruned_forward(filled), f"the weights {config.student.weights or source.text}"
    return opened or open_forward(source), "random weights"


def _changed(source: NetworkSource, plan: PrunePlan) -> dict[str, tuple[Shape, Shape]]:
    before = state_shapes(source.build("train").main)
    return {name: (before[name], plan.shape_after(name, before[name])) for name in plan.axes}


def _notes(limit: float) -> Iterator[str]:
    if limit > TOLERANCE:
        yield (
            f"with these weights the last bits of an image change the outputs by up to "
            f"{limit / OF_LAST_BITS:.1e}: differences up to {limit:.1e} are taken for rounding; "
            "trained weights prove more"
        )


def _clips(program: Program) -> Iterator[str]:
    images = images_at_once(program)
    if images > 1:
        yield (
            f"the program takes batches of a multiple of {images} images, of which a reshape makes "
            f"clips: train.batch_size={images} fits"
        )


def _run(forward: Forward) -> tuple[dict[str, tuple[int, ...]], list[Problem]]:
    try:
        results = forward.run()
    except (RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[-1]
        return {}, [Problem("prune", f"the pruned network does not run: {first}")]
    named = dict(zip(forward.outputs, results, strict=True))
    wrong = [Problem("prune", f"{n} is not finite") for n, a in named.items() if not _finite(a)]
    return {name: tuple(array.shape) for name, array in named.items()}, wrong


def _unproven(rows: Sequence[GroupRow], limit: float) -> Iterator[Problem]:
    for i, row in enumerate(rows):
        if row.difference is not None and not row.difference <= limit:
            message = f"{row.conv}: the pruned network differs by {row.difference:.1e}"
            yield Problem(f"prune.groups[{i}]", message)


def _finite(array: Array) -> bool:
    return bool(np.isfinite(array).all())


def _rows(
    section: PruneSection,
    plan: PrunePlan,
    proof: Proof | None,
    log: Log,
) -> Iterator[GroupRow]:
    for i, group in enumerate(section.groups):
        before, after = plan.channels[group.convs[0]]
        difference = proof.difference(i) if proof is not None and after < before else None
        log(f"proof: {i + 1} of {len(section.groups)} groups")
        yield GroupRow(group.convs[0], len(group.convs), before, after, difference)


class Proof:
    """Compares networks with one group pruned against the network with that group masked.

    Zeros stand where weights consume the removed channels: what a norm or an activation makes of
    a channel that is gone must not count. One scope serves all; changed values are put back, and
    images are small, so the memory is that of the weights and of a group's copies of them.
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
        return largest_difference(replace(self.forward, batch=moved).run(), self.forward.run())

    def difference(self, group: int) -> float:
        """The largest difference of any output, over the largest value of that output."""
        part = self.section.model_copy(
            update={"groups": self.section.groups[group : group + 1], "engine": "own"}
        )
        return self.compare(part)

    def compare(self, section: PruneSection) -> float:
        """The same for any choice of groups."""
        pruned = replace(self.forward, program=self.forward.program.clone())
        names = {n for g in section.groups for p in g.parts for c in p.cuts for n in c.params}
        scope, cpu = self.forward.scope, paddle.CPUPlace()
        before = get_values(scope, names)
        try:
            plan = apply_prune(pruned.program, None, pruned.scope, section).plan
            results = pruned.run()
            set_values(scope, cpu, before)
            for name, axis, gone in plan.removed_inputs():
                value = get_values(scope, [name])[name]
                value[(slice(None),) * axis + (gone,)] = 0
                set_values(scope, cpu, {name: value})
            wanted = self.forward.run()
        except (GraphprobeError, RuntimeError, ValueError):
            return float("inf")
        finally:
            set_values(scope, cpu, before)
        return largest_difference(results, wanted)
