"""A whole network beside its cut forms, compared without graphprobe's own masking.

graphprobe cuts; what it cut is read off the parameters (which rows of the old array are the new
one), and the old network is run with zeros where weights read the channels that are gone. Both
must give the same outputs.
"""

from __future__ import annotations

import random
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import paddle

import graphprobe
from graphprobe.config import PruneSection
from graphprobe.ops.work import network_size
from graphprobe.programs import load_program
from graphprobe.training.networks.forward import Forward, open_forward
from graphprobe.training.networks.source import Networks
from graphprobe.training.pruning.cutter import apply_prune
from graphprobe.training.runtime.programs import state_shapes

CONV_TRANSPOSE = ("conv2d_transpose", "depthwise_conv2d_transpose")
CONVS = ("conv2d", "depthwise_conv2d", *CONV_TRANSPOSE)
LINEARS = ("matmul_v2", "matmul", "mul")
SAMPLE = 6


class Whole:
    """A network read from NAME.pdmodel, with random weights.

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
        self.forward = replace(forward, batch=batch)

    def multiply_adds(self) -> int:
        """Of convolutions and products of matrices, from the shapes that one image executes."""
        block = self.forward.program.global_block()
        counted = [op for op in block.ops if op.type in (*CONVS, *LINEARS, "bmm")]
        shapes = self._shapes(counted)
        total = 0
        for op in counted:
            out = shapes[op.output(op.output_names[0])[0]]
            if op.type in CONV_TRANSPOSE:
                weight = block.var(op.input("Filter")[0]).shape
                total += prod(shapes[op.input("Input")[0]]) * prod(weight[1:])
            elif op.type in CONVS:
                weight = block.var(op.input("Filter")[0]).shape
                total += prod(out) * prod(weight[1:])
            else:
                x = shapes[op.input("X")[0]]
                across = any(op.has_attr(a) and op.attr(a) for a in ("trans_x", "transpose_X"))
                inner = x[-2] if across else x[-1]
                if op.type == "mul":
                    inner = prod(x[op.attr("x_num_col_dims") :])
                total += prod(out) * inner
        return total

    def claimed(self) -> int | None:
        """What graphprobe says of the same network at the same size; None where it does not."""
        found = network_size(load_program(self.file), self.size)
        return None if found.uncounted else found.flops + found.products

    def _shapes(self, ops: list[Any]) -> dict[str, tuple[int, ...]]:
        program = self.forward.program
        block = program.global_block()
        names = {n for op in ops for n in (*op.input_arg_names, *op.output_arg_names)}
        wanted = [n for n in sorted(names) if not block.var(n).persistable]
        found = paddle.static.Executor(paddle.CPUPlace()).run(
            program,
            feed=self.forward.batch,
            fetch_list=wanted,
            scope=self.forward.scope,
            return_numpy=False,
        )
        shapes = {n: tuple(t.shape()) for n, t in zip(wanted, found, strict=True)}
        shapes.update({n: tuple(block.var(n).shape) for n in names if block.var(n).persistable})
        return shapes

    def proofs(self) -> list[tuple[str, float]]:
        """(group, difference) of a sample of groups alone, and of all together.

        The difference is the largest of any output, as a share of that output's largest value.
        """
        found = graphprobe.find_prunable(self.file, policy="coupled", ratio=0.5)
        if not found.params:
            return []
        section = found.to_config().prune
        groups = [group for group in section.groups if group.ratio > 0]
        sample = random.Random(0).sample(groups, min(SAMPLE, len(groups)))
        tried = [(group.convs[0], (group,)) for group in sample]
        tried.append(("all together", section.groups))
        return [
            (name, self.compare(section.model_copy(update={"groups": tuple(chosen)})))
            for name, chosen in tried
        ]

    def compare(self, section: PruneSection) -> float:
        """How far the network that graphprobe prunes is from the whole one that reads no more."""
        pruned = self.forward.copy()
        apply_prune(pruned.program, None, pruned.scope, section)
        whole = self.forward.copy()
        before, after = _arrays(whole), _arrays(pruned)
        for op in whole.program.global_block().ops:
            for name, axis in _reads(op):
                if name in after and after[name].shape != before[name].shape:
                    gone = _gone(before[name], after[name], axis)
                    before[name][(slice(None),) * axis + (gone,)] = 0
        for name, value in before.items():
            whole.scope.find_var(name).get_tensor().set(value, paddle.CPUPlace())
        return max(_difference(a, b) for a, b in zip(pruned.run(), whole.run(), strict=True))


def _arrays(forward: Forward) -> dict[str, Any]:
    names = state_shapes(forward.program)
    return {name: np.array(forward.scope.find_var(name).get_tensor()) for name in names}


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
    kept = set()
    for part in np.moveaxis(after, axis, 0).reshape(after.shape[axis], -1):
        found: set[int] | None = None
        for value in part[:16]:
            low, high = np.searchsorted(values, [value, np.nextafter(value, np.inf)])
            here = set(where[low:high].tolist())
            found = here if found is None else found & here
        if found is None or len(found) != 1:
            raise ValueError(f"{len(found or ())} slices of the whole fit one of the cut array")
        kept |= found
    return [i for i in range(before.shape[axis]) if i not in kept]


def _difference(a: Any, b: Any) -> float:
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    return float(np.abs(a - b).max()) / max(float(np.abs(b).max()), 1e-6) if a.size else 0.0
