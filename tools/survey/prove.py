"""A whole network beside its cut forms, compared without graphprobe's own masking.

graphprobe cuts; what it cut is read off the parameters (which rows of the old array are the new
one), and the old network is run with zeros where weights read the channels that are gone. Both
must give the same outputs.
"""

from __future__ import annotations

import random
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import paddle

CONV_TRANSPOSE = ("conv2d_transpose", "depthwise_conv2d_transpose")
CONVS = ("conv2d", "depthwise_conv2d", *CONV_TRANSPOSE)
LINEARS = ("matmul_v2", "matmul", "mul")
SAMPLE = 6


class Whole:
    """A network read from NAME.pdmodel and NAME.pdiparams, with random weights in a scope.

    Args:
        stem: the files without suffix.
        size: H and W that it is run at.
    """

    def __init__(self, stem: Path, size: tuple[int, int]) -> None:
        paddle.enable_static()
        self.file = f"{stem}.pdmodel"
        self.size = size
        self.executor = paddle.static.Executor(paddle.CPUPlace())

    def multiply_adds(self) -> int:
        """Of convolutions and products of matrices, from the shapes that one picture executes."""
        program, scope, feed = self._open()
        block = program.global_block()
        counted = [op for op in block.ops if op.type in (*CONVS, *LINEARS, "bmm")]
        shapes = self._shapes(program, scope, feed, counted)
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
                across = op.has_attr("trans_x") and op.attr("trans_x")
                inner = x[-2] if across else x[-1]
                if op.type == "mul":
                    inner = prod(x[op.attr("x_num_col_dims") :])
                total += prod(out) * inner
        return total

    def claimed(self) -> int | None:
        """What graphprobe says of the same network at the same size."""
        from graphprobe.ops.work import network_size
        from graphprobe.programs import load_program

        found = network_size(load_program(self.file), self.size)
        return getattr(found, "flops", None)

    def _shapes(
        self, program: Any, scope: Any, feed: dict[str, Any], ops: list[Any]
    ) -> dict[str, tuple[int, ...]]:
        block = program.global_block()
        names = {n for op in ops for n in (*op.input_arg_names, *op.output_arg_names)}
        wanted = [n for n in sorted(names) if not block.var(n).persistable]
        found = self.executor.run(
            program, feed=feed, fetch_list=wanted, scope=scope, return_numpy=False
        )
        shapes = {n: tuple(t.shape()) for n, t in zip(wanted, found, strict=True)}
        shapes.update({n: tuple(block.var(n).shape) for n in names if block.var(n).persistable})
        return shapes

    def _open(self) -> tuple[Any, Any, dict[str, Any]]:
        from graphprobe.config import ProgramRef
        from graphprobe.training.networks.forward import open_forward

        forward = open_forward(ProgramRef(program=self.file))
        rng = np.random.default_rng(1)
        shape = {name: list(value.shape) for name, value in forward.batch.items()}
        feed = {}
        for name, sizes in shape.items():
            if len(sizes) == 4:
                sizes[0], sizes[2], sizes[3] = 1, *self.size
            feed[name] = rng.normal(size=sizes).astype(forward.batch[name].dtype)
        self.outputs = list(forward.outputs)
        return forward.program, forward.scope, feed

    def proofs(self) -> list[tuple[str, float]]:
        """(group, difference) of a sample of groups alone, and of all together.

        The difference is the largest of any output, as a share of that output's largest value.
        """
        from graphprobe.config import ProgramRef, PruneSection
        from graphprobe.emit import prune_config
        from graphprobe.programs import load_program
        from graphprobe.pruning.decisions import find_prunable
        from graphprobe.pruning.ratios import choose
        from graphprobe.pruning.regex import names_regex

        program = load_program(self.file)
        choice = choose(find_prunable(program, "coupled"), ratio=0.5)
        if not choice.params:
            return []
        regex = names_regex(choice.params, (var.name for var in program.parameters))
        section: PruneSection = prune_config(choice, program, regex).prune
        assert ProgramRef is not None
        groups = [i for i, group in enumerate(section.groups) if group.ratio > 0]
        sample = sorted(random.Random(0).sample(groups, min(SAMPLE, len(groups))))
        tried = [(section.groups[i].convs[0], (section.groups[i],)) for i in sample]
        tried.append(("all together", section.groups))
        found = []
        for name, chosen in tried:
            part = section.model_copy(update={"groups": tuple(chosen), "engine": "own"})
            found.append((name, self._compare(part)))
        return found

    def _compare(self, section: Any) -> float:
        from graphprobe.training.pruning.cutter import apply_prune

        program, scope, feed = self._open()
        before = _arrays(program, scope)
        cut = program.clone()
        apply_prune(cut, None, scope, section)
        small = self._run(cut, scope, feed)
        after = _arrays(cut, scope)
        place = paddle.CPUPlace()
        masked = {name: value.copy() for name, value in before.items()}
        for op in program.global_block().ops:
            for name, axis in _reads(op):
                if name in after and after[name].shape != before[name].shape:
                    gone = _gone(before[name], after[name], axis)
                    masked[name][(slice(None),) * axis + (gone,)] = 0
        for name, value in masked.items():
            scope.find_var(name).get_tensor().set(value, place)
        whole = self._run(program, scope, feed)
        return max(_difference(a, b) for a, b in zip(small, whole, strict=True))

    def _run(self, program: Any, scope: Any, feed: dict[str, Any]) -> list[Any]:
        part = program._prune_with_input(list(feed), self.outputs)
        feed = {name: v for name, v in feed.items() if part.global_block().has_var(name)}
        found = self.executor.run(part, feed=feed, fetch_list=self.outputs, scope=scope)
        return [np.array(value) for value in found]


def _arrays(program: Any, scope: Any) -> dict[str, Any]:
    tensor = paddle.base.core.VarDesc.VarType.LOD_TENSOR
    return {
        var.name: np.array(scope.find_var(var.name).get_tensor())
        for var in program.list_vars()
        if var.persistable and var.type == tensor
    }


def _reads(op: Any) -> list[tuple[str, int]]:
    """(parameter, axis) where an op reads channels: the input side of a weight."""
    if op.type in CONV_TRANSPOSE:
        return [(op.input("Filter")[0], 0)]
    if op.type in CONVS:
        return [(op.input("Filter")[0], 1)]
    if op.type in LINEARS:
        across = op.has_attr("trans_y") and op.attr("trans_y")
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
