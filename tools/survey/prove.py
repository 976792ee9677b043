"""A whole network beside its pruned forms, compared without graphprobe's own masking.

graphprobe prunes; what it removed is read off the parameters (which rows of the old array are the
new one), and the old network is run with zeros where weights read the channels that are gone. Both
must give the same outputs.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import paddle

import graphprobe
from graphprobe.config import PruneSection
from graphprobe.ops.work.count import network_size
from graphprobe.programs import load_program
from graphprobe.training.networks.forward import Forward, open_forward
from graphprobe.training.networks.source import Networks
from graphprobe.training.pruning.cutter import apply_prune
from graphprobe.training.runtime.programs import get_values, set_values
from graphprobe.training.weights.read import read_weights
from tools.survey.executed import CONV_TRANSPOSE, CONVS, LINEARS, executed_work
from tools.survey.models import TOLERANCE

# All groups of a network are proven alone where that takes no more multiply-adds than this; of a
# larger one, a sample.
ALL_ALONE = 20_000_000_000
SAMPLE = 6
# Pruning adds in another order, which changes more than the last bits of an image do.
LAST_BITS = 1e-5


@dataclass(frozen=True)
class Proof:
    """One pruning held against the whole network.

    Args:
        name: of the group, or ``all together``.
        difference: the largest of any output, as a share of that output's largest value.
        linear: whether linear layers lead the group.
    """

    name: str
    difference: float
    linear: bool = False


class Whole:
    """A network read from NAME.pdmodel, with random weights and its own tables of integers.

    Statistics, scales and shifts are random, too, so that one which is pruned at another channel
    than its filter shows; where that overflows or blows rounding up, the norms take the statistics
    of what reaches them.

    Args:
        stem: the file without suffix.
        size: H and W that it is run at.
    """

    def __init__(self, stem: Path, size: tuple[int, int]) -> None:
        self.file = f"{stem}.pdmodel"
        self.size = size
        forward = open_forward(Networks().source(self.file))
        rng = np.random.default_rng(1)
        batch = {}
        for name, value in forward.batch.items():
            shape = (1, *value.shape[1:2], *size) if value.ndim == 4 else value.shape
            batch[name] = rng.normal(size=shape).astype(value.dtype)
            if value.shape[1:] == (2,):  # im_shape, scale_factor: the image as it is
                batch[name] = np.array([size if name == "im_shape" else (1, 1)], value.dtype)
        self.forward = replace(forward, batch=batch)
        stored = read_weights(Path(f"{stem}.pdiparams"), {}).arrays
        # Tables of places are the network's own: random ones would name places that are not there.
        tables = {name: array for name, array in stored.items() if array.dtype.kind in "iub"}
        set_values(forward.scope, paddle.CPUPlace(), tables)
        # Weights do not depend on the image, so proofs run on a small one where the network can.
        self.trial = self.forward.small().compared()
        self.normalised = not self._last_bits() <= LAST_BITS
        if self.normalised:
            _normalise(self.trial)

    def _last_bits(self) -> float:
        """What the next larger number at every place of the image changes in the outputs."""
        batch = {n: np.nextafter(v, np.inf, dtype=v.dtype) for n, v in self.trial.batch.items()}
        moved = replace(self.trial, batch=batch).run()
        return max(_difference(a, b) for a, b in zip(moved, self.trial.run(), strict=True))

    def multiply_adds(self) -> int:
        """Of convolutions and products of matrices, from the shapes that one image executes."""
        return executed_work(self.forward)

    def claimed(self) -> int | None:
        """What graphprobe says of the same network at the same size; None where it does not."""
        found = network_size(load_program(self.file), self.size)
        return None if found.uncounted else found.flops + found.products

    def proofs(self, *, every: bool = False) -> tuple[list[Proof], int]:
        """Proofs of groups alone, then of all together; and how many groups there are.

        Args:
            every: prove every group alone, of a large network too.
        """
        found = graphprobe.find_prunable(self.file, policy="coupled", ratio=0.5)
        if not found.params:
            return [], 0
        section = found.to_config().prune
        groups = [group for group in section.groups if group.ratio > 0]
        alone = groups
        if not every and 2 * len(groups) * executed_work(self.trial) > ALL_ALONE:
            alone = random.Random(0).sample(groups, min(SAMPLE, len(groups)))
        linears = {row.param for row in found.linears}
        proofs = [
            Proof(
                group.convs[0],
                self.compare(section.model_copy(update={"groups": (group,)})),
                group.convs[0] in linears,
            )
            for group in alone
        ]
        return [*proofs, Proof("all together", self.compare(section))], len(groups)

    def compare(self, section: PruneSection) -> float:
        """How far the network that graphprobe prunes is from the whole one that reads no more.

        What differs is tried once more behind norms, where rounding grows less.
        """
        difference = self._compare(section)
        if difference > TOLERANCE and not self.normalised:
            self.normalised = True
            _normalise(self.trial)
            difference = self._compare(section)
        return difference

    def _compare(self, section: PruneSection) -> float:
        program, scope, cpu = self.trial.program.clone(), self.trial.scope, paddle.CPUPlace()
        params = {n for g in section.groups for p in g.parts for c in p.cuts for n in c.params}
        whole = get_values(scope, params)
        apply_prune(program, None, scope, section)
        pruned = get_values(scope, params)
        found = self._run(program)
        set_values(scope, cpu, whole)
        forms: dict[str, tuple[str, tuple[int, ...]]] = {}
        for op in self.trial.program.global_block().ops:
            _note_form(op, forms, self.trial.program.global_block())
            for name, axis in _reads(op):
                name, axes = forms.get(name, (name, (0, 1)))
                axis = axes[axis]
                if name in pruned and pruned[name].shape != whole[name].shape:
                    gone = _gone(whole[name], pruned[name], axis)
                    value = np.array(scope.find_var(name).get_tensor())
                    value[(slice(None),) * axis + (gone,)] = 0
                    set_values(scope, cpu, {name: value})
        self._clear_sums(section, whole, pruned)
        wanted = self._run(self.trial.program)
        set_values(scope, cpu, whole)
        return max(_difference(a, b) for a, b in zip(found, wanted, strict=True))

    def _clear_sums(
        self, section: PruneSection, whole: dict[str, Any], pruned: dict[str, Any]
    ) -> None:
        """Zeros where query and key are made of what is gone: no weight reads them."""
        parts = [part for group in section.groups for part in group.parts if part.summed]
        axes = {(name, cut.axis) for part in parts for cut in part.cuts for name in cut.params}
        for name, axis in axes:
            gone = _gone(whole[name], pruned[name], axis)
            value = np.array(self.trial.scope.find_var(name).get_tensor())
            value[(slice(None),) * axis + (gone,)] = 0
            set_values(self.trial.scope, paddle.CPUPlace(), {name: value})

    def _run(self, program: Any) -> list[Any]:
        """The outputs of a program with the values of the trial's scope.

        An executor keeps what it has run in scopes below that one: loops do not start anew there.
        """
        executor = paddle.static.Executor(paddle.CPUPlace())
        try:
            found = executor.run(
                program,
                feed=self.trial.batch,
                fetch_list=list(self.trial.outputs),
                scope=self.trial.scope,
                return_numpy=False,
            )
            return [np.array(value) for value in found]
        finally:
            executor.close()
            self.trial.scope.drop_kids()


def _normalise(forward: Forward) -> None:
    """Give norms the statistics of what reaches them, which keeps products of features small."""
    program = forward.program.clone()
    for op in program.global_block().ops:
        if op.type == "batch_norm":
            for name in ("is_test", "use_global_stats"):
                op._set_attr(name, False)
            op._set_attr("momentum", 0.0)
            for slot in ("SavedMean", "SavedVariance", "ReserveSpace"):
                name = f"{op.output('Y')[0]}.{slot}"
                program.global_block().create_var(name=name, dtype="float32")
                op.desc.set_output(slot, [name])
    replace(forward, program=program).run()


def _reads(op: Any) -> list[tuple[str, int]]:
    """(parameter, axis) where an op reads channels: the input side of a weight."""
    if op.type in CONV_TRANSPOSE:
        return [(op.input("Filter")[0], 0)]
    if op.type in CONVS:
        return [(op.input("Filter")[0], 1)]
    if op.type in LINEARS:
        across = any(op.has_attr(a) and op.attr(a) for a in ("trans_y", "transpose_Y"))
        return [(op.input("Y")[0], 1 if across else 0)]
    return []


def _note_form(op: Any, forms: dict[str, tuple[str, tuple[int, ...]]], block: Any) -> None:
    """Note a weight that an op turns, widens or scales: its name, and where its axes 0 and 1 are.

    Zeros in the weight are zeros in what is made of it.
    """
    if op.type not in ("unsqueeze2", "squeeze2", "transpose2", "elementwise_mul", "assign", "cast"):
        return
    name = op.input("X")[0]
    var = block.var(name)
    if name not in forms and not (var.persistable and len(var.shape) > 1):
        return
    name, axes = forms.get(name, (name, (0, 1)))
    if op.type == "transpose2":
        if list(op.attr("axis")) != [1, 0]:
            return
        axes = axes[::-1]
    forms[op.output("Out")[0]] = name, axes


def _gone(before: Any, after: Any, axis: int) -> list[int]:
    """The positions along an axis of which nothing is left.

    Values are random, so a few entries of a slice of the smaller array tell which slice of the
    larger one it was; single values are doubled now and then in float32.
    """
    if before.shape[axis] == after.shape[axis]:
        return []
    order = np.argsort(before, axis=None)
    values = before.ravel()[order]
    where = np.unravel_index(order, before.shape)[axis]
    parts = np.moveaxis(after, axis, 0).reshape(after.shape[axis], -1)[:, :16]
    low, high = (np.searchsorted(values, parts, side=side) for side in ("left", "right"))
    kept = set()
    for starts, ends in zip(low.tolist(), high.tolist(), strict=True):
        spans = zip(starts, ends, strict=True)
        found = set.intersection(*(set(where[a:b].tolist()) for a, b in spans))
        if len(found) != 1:
            raise ValueError(f"{len(found)} slices of the whole fit one of the pruned array")
        kept |= found
    return [i for i in range(before.shape[axis]) if i not in kept]


def _difference(a: Any, b: Any) -> float:
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    return float(np.abs(a - b).max()) / max(float(np.abs(b).max()), 1e-6) if a.size else 0.0
