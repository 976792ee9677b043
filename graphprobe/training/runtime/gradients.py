"""Whether gradients can pass every op between a loss and the parameters."""

from __future__ import annotations

from collections import Counter
from typing import Any

from paddle.base import core

from graphprobe.errors import TrainError
from graphprobe.ops.kinds import kind_of
from graphprobe.training.runtime.programs import is_tensor

# They read the sizes of what they are given, and no gradient is missed.
_NO_VALUES = ("source", "size")
_SHOWN = 6


def refuse_without_gradient(program: Any, *, where: str) -> None:
    """Refuse a forward program in which gradients would have to pass ops that have none.

    Args:
        program: a paddle program with losses, of which every op is needed for one of them.
        where: what it was read from, for errors.

    Raises:
        TrainError: one line that names the types of those ops, and the first variable of each.
    """
    block = program.global_block()
    learned = {parameter.name for parameter in program.all_parameters()}
    found: dict[str, str] = {}
    count: Counter[str] = Counter()
    for op in block.ops:
        made = [name for name in op.output_arg_names if _carries(block, name)]
        if not made or learned.isdisjoint(op.input_arg_names):
            continue
        if _has_gradient(op):
            learned.update(made)
        elif kind_of(op.type) not in _NO_VALUES:
            count[op.type] += 1
            found.setdefault(op.type, made[0])
    if found:
        shown = [
            f"{kind} ({count[kind]}, first writes {name})"
            for kind, name in list(found.items())[:_SHOWN]
        ]
        raise TrainError(
            f"Paddle has no gradient for {', '.join(shown)}, between the pairs and the parameters",
            where=where,
            hint="pair features that come before these ops",
        )


def _carries(block: Any, name: str) -> bool:
    """Whether a gradient goes through a variable: a floating tensor that does not stop it."""
    var = block.var(name) if block.has_var(name) else None
    if var is None or var.stop_gradient or not is_tensor(var):
        return False
    return var.dtype in (core.VarDesc.VarType.FP32, core.VarDesc.VarType.FP64)


def _has_gradient(op: Any) -> bool:
    """Whether Paddle makes ops for the gradient of an op."""
    try:
        made, _ = core.get_grad_op_desc(op.desc, set(), [])
    except (RuntimeError, ValueError, NotImplementedError):  # it has never heard of one
        return False
    return bool(made)
