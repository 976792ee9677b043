"""A network's forward part with some weights, to try a pruning on: bundled, own, or from a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from graphprobe.compat.names import keep_names
from graphprobe.errors import LoadError
from graphprobe.formats import find_file, load_file
from graphprobe.model import Model
from graphprobe.ops.kinds import kind_of
from graphprobe.ops.shapes.batches import images_at_once
from graphprobe.training.networks.build import Network
from graphprobe.training.networks.predictions import outputs_of
from graphprobe.training.networks.source import NetworkSource
from graphprobe.training.pruning.ranking import Array
from graphprobe.training.runtime.compare import TRIAL_SIZE
from graphprobe.training.runtime.programs import (
    get_values,
    infer_shapes,
    is_tensor,
    set_values,
    state_shapes,
)
from graphprobe.user_code import ZOO, is_code


@dataclass(frozen=True)
class Forward:
    """A forward program that can be run.

    Args:
        program: the paddle program, without feed and fetch ops.
        scope: its values.
        batch: an input for each feed.
        outputs: what its heads read (or what it gives out, where it has none), before anything
            is rounded to integers.
    """

    program: Any
    scope: Any
    batch: dict[str, Array]
    outputs: tuple[str, ...]

    def copy(self) -> Forward:
        """The same with a program and values of its own."""
        scope = paddle.static.Scope()
        values = get_values(self.scope, state_shapes(self.program))
        set_values(scope, paddle.CPUPlace(), values)
        return Forward(self.program.clone(), scope, self.batch, self.outputs)

    def compared(self) -> Forward:
        """The part of it that the outputs need: what decodes boxes may not take a small image."""
        names = [n for n in self.batch if self.program.global_block().has_var(n)]
        part = self.program._prune_with_input(names, list(self.outputs))
        feed = {n: v for n, v in self.batch.items() if part.global_block().has_var(n)}
        return Forward(part, self.scope, feed, self.outputs)

    def run(self) -> list[Array]:
        """The outputs for the batch."""
        part = self.compared()
        executor = paddle.static.Executor(paddle.CPUPlace())
        try:
            # Lists of boxes have a LoD, which Paddle does not make into arrays by itself.
            found = executor.run(
                part.program,
                feed=part.batch,
                fetch_list=list(self.outputs),
                scope=self.scope,
                return_numpy=False,
            )
            return [np.array(result) for result in found]
        finally:
            executor.close()
            # The activations of a run stay in scopes of their own below this one.
            self.scope.drop_kids()

    def small(self) -> Forward:
        """The same on a smaller image where the program fixes a larger one and lets it shrink."""
        program = self.program.clone()
        batch = dict(self.batch)
        for name, value in self.batch.items():
            if value.ndim == 4 and min(value.shape[2:]) > TRIAL_SIZE:
                batch[name] = value[:, :, :TRIAL_SIZE, :TRIAL_SIZE].copy()
                program.global_block().var(name).desc.set_shape(list(batch[name].shape))
        small = Forward(program, self.scope, batch, self.outputs)
        try:
            infer_shapes(program)
            if _has_vanished(self.program, program):
                return self
            # With an open batch, a reshape to fixed sizes is refused only when it is run.
            small.run()
        except (RuntimeError, ValueError):
            return self
        return small


def _has_vanished(whole: Any, small: Any) -> bool:
    """Whether a map has no size any more: Paddle's kernels do not look, and end the process."""
    return any(
        before > 0 >= after
        for var in whole.list_vars()
        if is_tensor(var) and small.global_block().has_var(var.name)
        for before, after in zip(var.shape, small.global_block().var(var.name).shape, strict=False)
    )


def open_forward(source: NetworkSource, *, seed: int = 0) -> Forward:
    """A network for a trial, with random parameters.

    Raises:
        LoadError: it is no bundled model, no function of the user's and no ProgramDesc file.
    """
    program = _program(source)
    _strip(program)
    rng = np.random.default_rng(seed)
    scope = paddle.static.Scope()
    variances, tables = _variances(program), _tables(program)
    for name, shape in state_shapes(program).items():
        kind = tables.get(name)
        # Whole numbers are places in a table, of which the first is always there.
        value = np.zeros(shape, kind) if kind else _first_value(rng, name, shape, variances)
        scope.var(name).get_tensor().set(value, paddle.CPUPlace())
    batch = dict(_batch(program, rng, images_at_once(source.loaded.program)))
    return Forward(program, scope, batch, outputs_of(program))


def pruned_forward(network: Network, *, seed: int = 0) -> Forward:
    """The forward part of a trainable network, with its values and its pruning, if any.

    Args:
        network: the student of a run, as it will be trained.
        seed: of the random batch.
    """
    program = network.source.pruned("infer", network.plan).main.clone()
    _strip(program)
    scope = paddle.static.Scope()
    set_values(scope, paddle.CPUPlace(), get_values(network.scope, state_shapes(program)))
    images = images_at_once(network.source.loaded.program)
    batch = dict(_batch(program, np.random.default_rng(seed), images))
    return Forward(program, scope, batch, outputs_of(program))


def _program(source: NetworkSource) -> Any:
    """A paddle program that may be changed."""
    if source.text.startswith(ZOO):
        return source.build("infer").main.clone()
    if not is_code(source.text):
        return _file(source.text)
    found = source.run("infer")
    return (found.program if isinstance(found, Model) else found).clone()


def _file(text: str) -> Any:
    path = find_file(Path(text).expanduser(), text)
    load_file(path, text)  # its words for what is no program
    paddle.enable_static()
    try:
        program = paddle.static.deserialize_program(path.read_bytes())
    except (ValueError, RuntimeError, OSError) as error:
        raise LoadError(
            "Paddle cannot read it, so the pruning cannot be tried",
            where=text,
            hint="name a bundled model or a ProgramDesc file",
        ) from error
    keep_names(program)
    return program


def _strip(program: Any) -> None:
    """Leave feed and fetch ops out: the executor brings its own."""
    block = program.global_block()
    for i in reversed(range(len(block.ops))):
        if kind_of(block.ops[i].type) in ("input", "output"):
            block._remove_op(i)


def _variances(program: Any) -> set[str]:
    return {
        name
        for op in program.global_block().ops
        if "Variance" in op.input_names
        for name in op.input("Variance")
    }


def _tables(program: Any) -> dict[str, str]:
    """The dtypes of stored tensors of integers and booleans."""
    kinds = {
        var.name: str(var.dtype).rsplit(".", 1)[-1].lower()
        for var in program.list_vars()
        if var.persistable and is_tensor(var)
    }
    whole = ("int", "uint", "bool")
    return {name: kind for name, kind in kinds.items() if kind.startswith(whole)}


def _first_value(
    rng: np.random.Generator, name: str, shape: tuple[int, ...], variances: set[str]
) -> Array:
    """Weights that keep signals near 1; statistics and shifts away from 0 and 1."""
    fan_in = max(1, int(np.prod(shape[1:])))
    value = rng.normal(size=shape) * (np.sqrt(2.0 / fan_in) if len(shape) > 1 else 0.3)
    if name in variances:
        value = np.abs(value) + 0.5
    elif len(shape) == 1:
        value = value + 0.5
    return value.astype(np.float32)


def _fewest_rows(block: Any) -> int | None:
    """The rows of the smallest table that the program looks up; None where it looks up none."""
    tables = [
        block.var(name).shape[0]
        for op in block.ops
        if kind_of(op.type) == "embedding"
        for name in op.input("W")
    ]
    return min(tables, default=None)


def _batch(program: Any, rng: np.random.Generator, images: int) -> Iterator[tuple[str, Array]]:
    """Every tensor that some op reads and nothing writes, of so many images where that is open."""
    block = program.global_block()
    written = {name for op in block.ops for name in op.output_arg_names}
    read = dict.fromkeys(name for op in block.ops for name in op.input_arg_names)
    rows = _fewest_rows(block)
    for name in read:
        var = block.var(name) if block.has_var(name) else None
        if var is None or var.persistable or name in written:
            continue
        shape = [TRIAL_SIZE if s < 0 else s for s in var.shape]
        shape[0] = images if var.shape[0] < 0 else max(1, var.shape[0])
        if "int" in str(var.dtype).lower():
            # Rows of a table where the program looks some up, else sizes of the image.
            one = np.full(shape, TRIAL_SIZE) if rows is None else rng.integers(0, rows, shape)
            yield name, one.astype(np.int32)
        else:
            yield name, rng.normal(size=shape).astype(np.float32)
