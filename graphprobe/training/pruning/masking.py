"""A network whose channels are masked instead of removed, and its metric then.

Zeros where weights consume the removed channels give the outputs of the pruned network
(docs/pruning.md), so one evaluation program serves for every pruning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle

from graphprobe.config import PruneConfig
from graphprobe.errors import CheckpointError
from graphprobe.ir import Program
from graphprobe.ops.work.count import Work, multiply_adds, weight_uses
from graphprobe.pruning.plan import PrunePlan
from graphprobe.training.evaluate import Evaluator
from graphprobe.training.feeding.feeding import check_sizes
from graphprobe.training.networks.build import put_weights
from graphprobe.training.networks.source import NetworkSource
from graphprobe.training.pruning.ranking import Array
from graphprobe.training.runtime.programs import set_values, state_shapes
from graphprobe.training.weights.read import Weights, locate, read_weights
from graphprobe.zoo import Built


@dataclass(frozen=True)
class Subject:
    """The network that is measured, unpruned.

    Args:
        built: its evaluation program.
        scope: its values.
        values: copies of them.
        place: where it runs.
        uses: the work of its weights, for the share of multiply-adds that a pruning removes.
        class_names: of the data that its weights were trained on, where they name them.
    """

    built: Built
    scope: Any
    values: dict[str, Array]
    place: Any
    uses: list[Work]
    class_names: tuple[str, ...] = ()

    def removed_flops(self, plan: PrunePlan) -> float:
        """The share of the multiply-adds that a pruning removes."""
        after = {n: plan.shape_after(n, self.values[n].shape) for n in plan.axes}
        whole = multiply_adds(self.uses)
        return 1 - multiply_adds(self.uses, after) / max(whole, 1)


def open_subject(
    config: PruneConfig, program: Program, place: Any, source: NetworkSource
) -> Subject:
    """Build the config's network for evaluation and load its weights.

    Raises:
        CheckpointError: as `measure_sensitivity`.
        ConfigError: the program is not a bundled model, or its image size is another.
    """
    built = source.build("eval")
    check_sizes(config.train, built, "student")
    shapes = state_shapes(built.main)
    if config.student.weights is None and source.exported is not None:
        path, given = source.exported.path, Weights(source.exported.values)
    else:
        path = locate(config.student.weights or "")
        given = read_weights(path, shapes)
    if given.prune is not None:
        hint = "name the weights of the whole network"
        raise CheckpointError("these weights were pruned before", where=str(path), hint=hint)
    scope = paddle.static.Scope()
    put_weights(scope, place, given.arrays, shapes, built.main, where=str(path))
    size = config.train.input_size
    uses = weight_uses(program, size)
    return Subject(built, scope, dict(given.arrays), place, uses, given.class_names)


def masked_value(subject: Subject, evaluator: Evaluator, plan: PrunePlan) -> float:
    """The metric with zeros where weights consume what a plan removes; then all is as before."""
    masked = masked_weights(subject.values, plan)
    set_values(subject.scope, subject.place, masked)
    try:
        return evaluator.run(subject.scope).value
    finally:
        set_values(subject.scope, subject.place, {name: subject.values[name] for name in masked})


def masked_weights(values: Mapping[str, Array], plan: PrunePlan) -> dict[str, Array]:
    """The weights that consume what a plan removes, with zeros there."""
    masked: dict[str, Array] = {}
    for name, axis, gone in plan.removed_inputs():
        value = masked.setdefault(name, np.array(values[name]))
        value[(slice(None),) * axis + (gone,)] = 0
    return masked
