"""Remove channels from a Paddle program and its weights, by a plan.

A network is pruned once, before its optimizer is built: parameters in the scope, their declared
shapes, attributes that count channels, and then every activation's shape by inference. A parameter
may be of any op: a convolution's filter, a linear layer's matrix, a norm's scale. What was asked
for is checked against what came out; a pruning that changes nothing is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import paddle

from graphprobe.config import PruneSection
from graphprobe.errors import ConfigError, Problem, TrainError, listed
from graphprobe.pruning.plan import AttrChange, PrunePlan
from graphprobe.training.pruning.ranking import make_plan, prune_array
from graphprobe.training.runtime.programs import infer_shapes, state_shapes

# Bits of op_role that only backward and optimizer ops have.
_BACKWARD_OR_OPTIMIZER = 0x1 | 0x2


@dataclass(frozen=True, slots=True)
class PruneSummary:
    """What a pruning came to.

    Args:
        plan: to be kept with the weights, and replayed wherever the network is built again.
        engine: ``own`` or ``paddleslim``.
        shapes: parameter -> shape before and after.
    """

    plan: PrunePlan
    engine: str
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]

    @property
    def params(self) -> tuple[int, int]:
        """Elements of the parameters that changed, before and after."""
        before = sum(prod(a) for a, _ in self.shapes.values())
        return before, sum(prod(b) for _, b in self.shapes.values())


def apply_prune(
    program: Any,
    startup: Any | None,
    scope: Any,
    section: PruneSection,
    *,
    place: Any = None,
    where: str = "",
) -> PruneSummary:
    """Rank by the weights in the scope, then prune them and the program.

    Args:
        program: a forward paddle program, changed in place.
        startup: its startup program, or None where the weights are there already; its
            initializers are changed to the shapes after pruning.
        scope: holds the parameters' values; they are pruned in place.
        section: what is pruned.
        place: where the values lie; the CPU by default.
        where: the config's file, for errors.

    Raises:
        ConfigError: names or sizes do not fit the program (all of them), or nothing would change.
        TrainError: the program has an optimizer already, or a parameter is not as planned.
    """
    summary = prune_values(program, scope, section, place=place, where=where)
    replay_plan(program, summary.plan, startup)
    verify_shapes(program, scope, summary)
    return summary


def prune_values(
    program: Any, scope: Any, section: PruneSection, *, place: Any = None, where: str = ""
) -> PruneSummary:
    """Rank by the weights in a scope, then prune them; the program stays as it is.

    Args and raises as `apply_prune`.
    """
    place = place if place is not None else paddle.CPUPlace()
    _refuse_optimizer(program)
    before = state_shapes(program)
    plan = make_plan(section, before, lambda name: _value(scope, name), where)
    changed = {name: (before[name], plan.shape_after(name, before[name])) for name in plan.axes}
    wanted = {name: prune_array(plan, name, _value(scope, name)) for name in plan.axes}
    if section.engine == "paddleslim":
        from graphprobe.training.pruning.paddleslim import cut_with_paddleslim

        cut_with_paddleslim(program, scope, section, wanted, place)
        return PruneSummary(plan, "paddleslim", changed)
    for name, value in wanted.items():
        scope.find_var(name).get_tensor().set(value, place)
    return PruneSummary(plan, "own", changed)


def pruned_shapes(program: Any, section: PruneSection, *, where: str = "") -> PrunePlan:
    """A plan that leaves the shapes of a section's pruning, before any weights are there.

    It removes as many channels of each part, the first ones: for `replay_plan`, not for weights.

    Raises:
        ConfigError: as `apply_prune`.
    """
    shapes = state_shapes(program)
    return make_plan(section, shapes, lambda name: np.zeros(shapes[name], np.float32), where)


def replay_plan(program: Any, plan: PrunePlan, startup: Any | None = None) -> None:
    """Give a program the shapes and attributes of a plan; values are loaded afterwards.

    Args:
        program: a forward paddle program that has not been pruned, changed in place. Parameters
            of the plan that it does not have are left out (an inference program has fewer).
        plan: a ranked plan.
        startup: its startup program, or None.

    Raises:
        TrainError: the program has been pruned already, is another one, or does not hold enough of
            its shapes.
    """
    _refuse_optimizer(program)
    problems = list(_unfit(program, plan))
    if problems:
        raise TrainError(
            "; ".join(problems),
            where="pruning",
            hint="prune each program once, and its own",
        )
    for each in (program, startup):
        if each is not None:
            _set_shapes(each, plan)
    _set_attrs(program, plan)
    if startup is not None:
        _set_initializers(startup, plan)
    try:
        infer_shapes(program)
    except (RuntimeError, ValueError) as error:
        why = str(error).strip().splitlines()[0]
        raise TrainError(
            f"the shapes of the pruned program do not follow from its ops ({why})",
            where="pruning",
            hint="export the program with the size of its image fixed",
        ) from error


def _refuse_optimizer(program: Any) -> None:
    for op in program.global_block().ops:
        if op.has_attr("op_role") and op.attr("op_role") & _BACKWARD_OR_OPTIMIZER:
            raise TrainError(
                f"the program has backward or optimizer ops already (first: {op.type})",
                where="pruning",
                hint="prune before minimize",
            )


def _value(scope: Any, name: str) -> Any:
    var = scope.find_var(name)
    if var is None or not var.get_tensor()._is_initialized():
        problem = Problem("", f"the parameter {name} has no value yet")
        raise ConfigError([problem], where="pruning", hint="initialize or load the weights first")
    return np.array(var.get_tensor())


def _unfit(program: Any, plan: PrunePlan) -> Iterator[str]:
    shapes = state_shapes(program)
    if not shapes.keys() & plan.axes.keys():
        yield "the program has none of the parameters that the plan prunes"
    for name, axes in plan.axes.items():
        shape = shapes.get(name)
        for axis, left in axes.items() if shape is not None else ():
            if shape is None or axis >= len(shape) or shape[axis] == left.size:
                continue
            if shape[axis] == len(left.kept):
                yield f"{name} has been pruned already (axis {axis} is {shape[axis]})"
            else:
                yield f"axis {axis} of {name} is {shape[axis]}, not {left.size}"


def _set_shapes(program: Any, plan: PrunePlan) -> None:
    for block in program.blocks:
        for name in plan.axes:
            if block.has_var(name):
                desc = block.var(name).desc
                desc.set_shape(list(plan.shape_after(name, desc.shape())))


def _set_initializers(startup: Any, plan: PrunePlan) -> None:
    for op in startup.global_block().ops:
        for name in op.output_arg_names:
            if name in plan.axes and op.has_attr("shape"):
                op._set_attr("shape", list(plan.shape_after(name, op.attr("shape"))))


def _set_attrs(program: Any, plan: PrunePlan) -> None:
    missing = []
    for change in plan.attr_updates:
        found = [op for op in program.global_block().ops if _is_meant(op, change)]
        if not found and _must_exist(program, change):
            missing.append(f"{change.op} that writes {change.output}")
        for op in found:
            if change.attr == "value":  # a constant that counts channels in a shape
                op._set_attr("value", float(str(change.after)))
                op._set_attr("str_value", str(change.after))
                continue
            after = change.after if isinstance(change.after, int) else list(change.after)
            op._set_attr(change.attr, after)
            if change.attr == "sections" and op.has_attr("num"):
                op._set_attr("num", 0)
    if missing:
        raise TrainError(
            f"the program has no op {listed(missing, between=', nor ')}",
            where="pruning",
            hint="make the config for the program that is trained",
        )


def _is_meant(op: Any, change: AttrChange) -> bool:
    if op.type.removesuffix("_") != change.op.removesuffix("_"):
        return False
    if change.param is not None:
        return change.param in op.input_arg_names
    return change.output in op.output_arg_names


def _must_exist(program: Any, change: AttrChange) -> bool:
    """An op that is found by its parameter may be left out together with it."""
    return change.param is None or program.global_block().has_var(change.param)


def verify_shapes(program: Any, scope: Any, summary: PruneSummary) -> None:
    """Hold what a program declares and a scope holds against what was planned.

    Raises:
        TrainError: a parameter has another shape.
    """
    wrong = []
    for name, (_, after) in summary.shapes.items():
        declared = tuple(program.global_block().var(name).shape)
        held = tuple(scope.find_var(name).get_tensor().shape())
        if not declared == held == after:
            wrong.append(f"{name} is {declared} in the program and {held} in the scope")
    if wrong:
        raise TrainError(listed(wrong, between="; "), where="pruning", hint="report this program")
