"""Split a train program in two: losses and gradients, then the optimizer's update.

Run one after the other they do what the whole does. Between them the losses can be looked at, so
that a step whose loss is not finite never touches the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphprobe.ir.program import ROLE_OPTIMIZE


def split_program(program: Any, gradients: list[str]) -> tuple[Any, Any]:
    """Cut a paddle program at its optimizer ops.

    Args:
        program: a train program, after ``minimize``; it is left as it is.
        gradients: the variables that the optimizer reads; they are kept between the two.

    Returns:
        the program that computes losses and gradients, and the one that updates.
    """
    compute, update = program.clone(), program.clone()
    keep_ops(compute, lambda op: not _is_update(op))
    keep_ops(update, _is_update)
    for part in (compute, update):
        for name in gradients:
            part.global_block().var(name).persistable = True
    return compute, update


def _is_update(op: Any) -> bool:
    return bool(op.attr("op_role") & ROLE_OPTIMIZE)


def keep_ops(program: Any, keep: Callable[[Any], bool]) -> None:
    """Remove the ops of a paddle program that are not to be kept."""
    block = program.global_block()
    for index in reversed(range(len(block.ops))):
        if not keep(block.ops[index]):
            block._remove_op(index, sync=False)
    program._sync_with_cpp()
