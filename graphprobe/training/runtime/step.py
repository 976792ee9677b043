"""One training step: losses and gradients, a look at the losses, then the update."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle

from graphprobe.data.sample import Arrays, Feed
from graphprobe.errors import TrainError, listed
from graphprobe.training.distributed.process_group import (
    mean_program,
    run_collective,
    with_mean_counts,
)
from graphprobe.training.runtime.onednn import BatchGeometry, forget, use_onednn
from graphprobe.training.runtime.programs import (
    drop_values,
    forward_names,
    get_values,
    keep_ops,
    split_program,
)


@dataclass(frozen=True, slots=True)
class Optimizer:
    """The settings of an optimizer with L2 decay.

    Args:
        momentum: of Momentum; Adam takes its usual 0.9 and 0.999.
        weight_decay: of every parameter, as L2 decay.
        clip_norm: limits the gradients' global norm; 0: nothing does.
        kind: ``momentum`` or ``adam``.
    """

    momentum: float
    weight_decay: float
    clip_norm: float = 0.0
    kind: str = "momentum"


class Engine:
    """Runs the steps of one train program.

    Args:
        main: the paddle program with the student, what it learns from and the losses.
        scope: holds the values of its variables.
        place: where it runs.
        losses: name -> scalar variable; ``total`` is minimized, the others are terms of it.
        optimizer: how.
        seed: of the random numbers that ops draw; with the iteration it fixes each step's.
        onednn: run convolutions in oneDNN, as far as its copies of such batches have room.
        extend: adds to a batch what the program wants beside it, as a teacher's variables; what
            has them already comes back as it is. Any thread may call it.
    """

    def __init__(
        self,
        main: Any,
        scope: Any,
        place: Any,
        losses: Mapping[str, Any],
        optimizer: Optimizer,
        *,
        seed: int,
        onednn: BatchGeometry | None = None,
        extend: Callable[[Feed], Feed] | None = None,
    ) -> None:
        self.scope, self.place, self.seed = scope, place, seed
        self.executor = paddle.static.Executor(place)
        self._computing = paddle.static.Executor(place)
        self.extend = extend
        self.loss_vars = {name: var.name for name, var in losses.items()}
        before = set(main.global_block().vars)
        self.state_names = sorted(v.name for v in main.list_vars() if v.persistable)
        gradients, self._rate = self._minimize(main, losses["total"], optimizer)
        new = [var for name, var in main.global_block().vars.items() if name not in before]
        self.optimizer_names = sorted(v.name for v in new if v.persistable and v.name != self._rate)
        self._forgets = onednn is not None and use_onednn(main, onednn) and onednn.vary
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._compute, self._update = split_program(main, gradients)
        self._gradients = gradients
        self._measuring: Any = None
        self._measured: list[str] = []
        self._together: Any = None
        self._measuring_together: Any = None
        self._share: Any = None

    def _minimize(self, main: Any, total: Any, settings: Optimizer) -> tuple[list[str], str]:
        startup = paddle.static.Program()
        with paddle.static.program_guard(main, startup), paddle.utils.unique_name.guard("train_"):
            optimizer = _make_optimizer(settings)
            _, pairs = optimizer.minimize(total)
        self.executor.run(startup, scope=self.scope)
        self.parameters = [parameter.name for parameter, _ in pairs]
        return [gradient.name for _, gradient in pairs], optimizer._global_learning_rate(main).name

    def add_measurements(self, add: Callable[[Any], Sequence[str]]) -> None:
        """Let a step that is asked to compute more than its losses and gradients.

        Args:
            add: adds ops to the end of a program with the losses and the gradients, and gives the
                names of the scalars that are fetched.
        """
        program = self._compute.clone()
        names = list(add(program))
        if names:
            self._measuring, self._measured = program, names

    def step(
        self, iteration: int, feed: Feed, rate: float, measured: list[float] | None = None
    ) -> dict[str, float]:
        """Train on one batch.

        Args:
            measured: takes what `add_measurements` added, as it was before the update.

        Returns:
            every loss by name, as it was before the update.

        Raises:
            TrainError: a loss is not finite; the parameters are then as before the step.
        """
        losses = self.losses(iteration, feed, measured)
        self.share_gradients()
        self._set_rate(rate)
        self.executor.run(self._update, scope=self.scope)
        drop_values(self.scope, self._gradients)  # the next step needs the room before them
        return losses

    def losses(
        self, iteration: int, feed: Feed, measured: list[float] | None = None
    ) -> dict[str, float]:
        """Losses and gradients of one batch, without an update.

        Args:
            measured: as in `step`.

        Raises:
            TrainError: a loss is not finite.
        """
        paddle.seed(self.seed + iteration)
        if self.extend is not None:
            feed = self.extend(feed)
        if self._forgets:
            self._forget_other_sizes(feed)
        more = [] if measured is None else self._measured
        fetched = self._run_compute(feed, more)
        numbers = [float(np.asarray(value).reshape(-1)[0]) for value in fetched]
        losses = dict(zip(self.loss_vars, numbers[: len(self.loss_vars)], strict=True))
        if measured is not None:
            measured[:] = numbers[len(self.loss_vars) :]
        if not np.isfinite(list(losses.values())).all():
            raise self._not_finite(iteration, feed, losses)
        return losses

    def _run_compute(self, feed: Feed, more: Sequence[str]) -> list[Any]:
        asked = {"feed": feed, "fetch_list": [*self.loss_vars.values(), *more]}
        together = self._measuring_together if more else self._together
        if together is not None:
            return list(run_collective(self._computing, together, self.scope, **asked))
        program = self._measuring if more else self._compute
        return list(self._computing.run(program, scope=self.scope, **asked))

    def _forget_other_sizes(self, feed: Feed) -> None:
        """oneDNN would keep copies for each size of images that it has seen."""
        shapes = {name: array.shape for name, array in feed.items() if array.ndim == 4}
        if shapes != self._shapes:
            forget(self._computing)
        self._shapes = shapes

    def use_collective(self, processes: int) -> None:
        """Let each step from now on take the mean of the gradients of this many processes.

        Where the losses are divided by what they count, that is their mean as well.
        """
        if processes > 1:
            self._together = with_mean_counts(self._compute, processes)
            if self._measuring is not None:
                self._measuring_together = with_mean_counts(self._measuring, processes)
            self._share = mean_program(self._update, self._gradients, processes)

    def share_gradients(self) -> None:
        """Put the mean over all processes in the place of each gradient."""
        if self._share is not None:
            run_collective(self.executor, self._share, self.scope)

    def _set_rate(self, rate: float) -> None:
        tensor = self.scope.find_var(self._rate).get_tensor()
        tensor.set(np.full(tensor.shape(), rate, np.float32), self.place)

    def _not_finite(self, iteration: int, feed: Feed, losses: Mapping[str, float]) -> TrainError:
        bad = [name for name, value in losses.items() if not np.isfinite(value)]
        terms = [name for name in bad if name != "total"] or bad
        found = self._first_bad(feed)
        place = f"first in variable {found}" if found else "in no variable when run again"
        return TrainError(
            f"iteration {iteration}: loss {listed(terms)} is not finite, {place}",
            hint="the parameters were not updated with it; lower train.learning_rate.base, "
            "lengthen the warm-up or look at the data, then go on with resume='auto'",
        )

    def _first_bad(self, feed: Feed) -> str | None:
        """The first input, parameter or forward variable, in the order of ops, that holds a NaN."""
        names = forward_names(self._compute)
        values = self.executor.run(
            self._compute, feed=feed, fetch_list=names, scope=self.scope, use_program_cache=False
        )
        return next((n for n, v in zip(names, values, strict=True) if not _finite(v)), None)

    def values(self, names: list[str]) -> Arrays:
        """Copies of variables of the scope."""
        return get_values(self.scope, names)

    def gradients(self) -> Arrays:
        """The gradients that the last `losses` left, by parameter: checks read them.

        The executor fetches them: oneDNN leaves gradients in layouts of its own.
        """
        program = self._update.clone()
        keep_ops(program, lambda _: False)
        names = [f"{parameter}@GRAD" for parameter in self.parameters]
        found = self.executor.run(program, fetch_list=names, scope=self.scope)
        return {name: np.array(value) for name, value in zip(self.parameters, found, strict=True)}


def _make_optimizer(settings: Optimizer) -> Any:
    common = {
        "weight_decay": paddle.regularizer.L2Decay(settings.weight_decay),
        "grad_clip": _clip(settings.clip_norm),
    }
    if settings.kind == "adam":
        return paddle.optimizer.Adam(0.0, **common)
    return paddle.optimizer.Momentum(0.0, settings.momentum, **common)


def _clip(norm: float) -> Any:
    return paddle.nn.ClipGradByGlobalNorm(norm) if norm > 0 else None


def _finite(value: Any) -> bool:
    array = np.asarray(value)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
