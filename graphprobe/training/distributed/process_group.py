"""Several processes that train one network: what they send each other.

Each computes losses and gradients of its part of a batch; the means over all processes are those
of the whole batch, so that every process makes the same update. Rank 0 evaluates, logs and saves.
Ops and communicator are those of Paddle's collective training: NCCL on GPUs, gloo on CPUs.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import paddle

from graphprobe.compat.collectives import broadcast_op, has_old_ops, sum_op, waits_for_others
from graphprobe.compat.communicators import connect_cpus, connect_gpus
from graphprobe.errors import TrainError, UsageError
from graphprobe.losses import BATCH_COUNT_MARK as MARK
from graphprobe.training.distributed.failure_detector import EXIT_MESSAGE_TIMEOUT_S, watch
from graphprobe.training.distributed.ranks import rank, world_size
from graphprobe.training.reporting.progress import Log, no_log
from graphprobe.training.runtime.device import is_gpu


class ProcessGroup:
    """The processes of a run, connected.

    Args:
        place: where this process runs.
    """

    def __init__(self, place: Any) -> None:
        self.is_rank0, self.size = rank() == 0, world_size()
        self._place = place
        self._executor = paddle.static.Executor(place)
        self._scope = paddle.static.Scope()
        self._programs: dict[str, Any] = {}

    def mean(self, values: Sequence[float]) -> list[float]:
        """The means of scalars over all processes; each process gives as many."""
        if self.size == 1:
            return list(values)
        name = f"mean_of_{len(values)}"
        if name not in self._programs:
            self._programs[name] = paddle.static.Program()
            block = self._programs[name].global_block()
            block.create_var(name=name, shape=[len(values)], dtype="float32", persistable=True)
            add_mean(block, name, self.size)
        tensor = self._scope.var(name).get_tensor()
        tensor.set(np.asarray(values, np.float32), self._place)
        run_collective(self._executor, self._programs[name], self._scope)
        return [float(value) for value in np.array(tensor)]

    def any(self, asked: bool) -> bool:
        """Whether it is so in any process."""
        return self.mean([float(asked)])[0] > 0

    def broadcast(self, program: Any, scope: Any, names: Sequence[str], iteration: int) -> None:
        """Give every process the values that rank 0 begins with.

        Args:
            program: the paddle program that holds the variables.
            scope: where their values lie.
            names: what an update depends on.
            iteration: where this process would begin.

        Raises:
            TrainError: not every process begins at the same iteration.
        """
        if self.size == 1:
            return
        parts = divmod(iteration, 4096)  # small enough to be exact in float32
        means = self.mean(parts)
        if any(abs(a - b) > 0.5 / self.size for a, b in zip(parts, means, strict=True)):
            raise TrainError(
                f"this process begins at iteration {iteration}, others elsewhere",
                hint="train.output must be one folder that all machines see",
            )
        run_collective(self._executor, broadcast_program(program, names), scope)


def broadcast_program(program: Any, names: Sequence[str]) -> Any:
    """A paddle program that overwrites variables with the values that rank 0 has."""
    made = paddle.static.Program()
    for name in names:
        _declare(made.global_block(), program, name)
        made.global_block().append_op(**broadcast_op(name))
    return made


def mean_program(program: Any, names: Sequence[str], count: int) -> Any:
    """A paddle program that replaces variables by their means over `count` processes."""
    made = paddle.static.Program()
    for name in names:
        _declare(made.global_block(), program, name)
        add_mean(made.global_block(), name, count)
    return made


def add_mean(block: Any, name: str, count: int) -> None:
    """Add the ops that replace a variable of a block by its mean over `count` processes."""
    for op in _mean_ops(name, name, count):
        block.append_op(**op)


def with_mean_counts(program: Any, count: int) -> Any | None:
    """A copy of a program that shares the counts by which its losses are divided.

    It takes their means over `count` processes, so the mean of the gradients is that of the whole
    batch, however its objects are spread. Paddle runs collective ops one after the other, so all
    processes come to them in one order.

    Args:
        program: a paddle program, with its gradients.
        count: of the processes.

    Returns:
        None where it has no such counts (`graphprobe.losses`).
    """
    ops = program.global_block().ops
    marked = [index for index, op in enumerate(ops) if op.has_attr(MARK)]
    if not marked:
        return None
    made = program.clone()
    block = made.global_block()
    for index in reversed(marked):
        op = block.ops[index]
        (found,) = op.input("X")
        mean = block.create_var(dtype=block.var(found).dtype).name
        for added in reversed(_mean_ops(found, mean, count)):
            block._insert_op(index, **added)
        op.desc.set_input("X", [mean])
        op._set_attr("min", op.attr("min") / count)  # of a sum; a bound for all is too high
    return made


def _mean_ops(name: str, mean: str, count: int) -> list[dict[str, Any]]:
    """The ops that put the mean over `count` processes of a variable into another, or itself."""
    divide = {"inputs": {"X": [mean]}, "outputs": {"Out": [mean]}, "attrs": {"scale": 1.0 / count}}
    return [sum_op(name, mean), {"type": "scale", **divide}]


def _declare(block: Any, program: Any, name: str) -> None:
    var = program.global_block().var(name)
    block.create_var(name=name, shape=var.shape, dtype=var.dtype, persistable=True)


def run_collective(executor: Any, program: Any, scope: Any, **rest: Any) -> Any:
    """Run a paddle program that has ops which wait for the other processes.

    Args:
        rest: what else the executor takes, as ``feed``.

    Returns:
        what the executor returns.

    Raises:
        TrainError: they cannot be reached. Where one is gone `watch` knows which, logs it and
            ends this process, mostly before this is raised.
    """
    try:
        return executor.run(program, scope=scope, **rest)
    except (RuntimeError, OSError, SystemError) as error:
        failed = re.search(r"\[operator < (\w+) >", str(error))
        if failed and not waits_for_others(failed[1]):
            raise
        time.sleep(EXIT_MESSAGE_TIMEOUT_S)
        text = " ".join(str(error).split())[-200:]
        raise TrainError(f"another process cannot be reached ({text})") from error


@contextlib.contextmanager
def init_process_group(place: Any, log: Log = no_log) -> Iterator[ProcessGroup]:
    """Connect the processes of a run; inside, the death of one ends them all.

    Args:
        place: where this process runs.
        log: takes the line with the reason why this process ends with another one.

    Raises:
        UsageError: they were not started by ``python -m paddle.distributed.launch``.
    """
    if world_size() == 1:
        yield ProcessGroup(place)
        return
    endpoints = os.environ.get("PADDLE_TRAINER_ENDPOINTS", "").split(",")
    if len(endpoints) != world_size():
        raise UsageError(
            f"PADDLE_TRAINER_ENDPOINTS names {len(endpoints)} of {world_size()} processes",
            hint="start them with python -m paddle.distributed.launch",
        )
    with contextlib.ExitStack() as stack:
        # Gloo's start in Paddle 2 forks a helper, which would outlive a process that `watch` ends.
        if has_old_ops():
            _connect(place, endpoints)
        stack.enter_context(watch(endpoints[0], log))
        if not has_old_ops():
            _connect(place, endpoints)
        yield ProcessGroup(place)


def _connect(place: Any, endpoints: Sequence[str]) -> None:
    if is_gpu(place):
        connect_gpus(place, rank(), endpoints)
    else:
        connect_cpus(rank(), endpoints)


def use_sync_norm(program: Any, place: Any) -> None:
    """Let the batch norms that learn take their statistics over the batch of all processes.

    Raises:
        UsageError: Paddle has no such op for the CPU.
    """
    if not is_gpu(place):
        raise UsageError(
            "train.sync_bn: Paddle's sync_batch_norm runs on GPUs only",
            hint="train.sync_bn=false takes the statistics of each process's part",
        )
    for op in program.global_block().ops:
        if op.type == "batch_norm" and not (op.attr("is_test") or op.attr("use_global_stats")):
            op.desc.set_type("sync_batch_norm")
