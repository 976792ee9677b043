"""What is done to Paddle programs and scopes everywhere: copied, split, counted, filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray

from graphprobe.ir.program import ROLE_BACKWARD, ROLE_OPTIMIZE
from graphprobe.ops.kinds import kind_of

CALL_STACK = "op_callstack"


def copy_program(program: Any) -> Any:
    """A copy of a paddle program; `Program.clone` forgets which gradients are not clipped."""
    copy: Any = program.clone()
    block = copy.global_block()
    for parameter in program.all_parameters():
        block.var(parameter.name).need_clip = parameter.need_clip
    return copy


def plain_bytes(program: Any) -> bytes:
    """A paddle program as the bytes of a file, without the call stacks of this machine.

    They record which line of Python made each op: most of the bytes, and of no use elsewhere.
    """
    copy: Any = program.clone()
    for block in copy.blocks:
        for op in block.ops:
            if op.has_attr(CALL_STACK):
                op._remove_attr(CALL_STACK)
    content: bytes = copy.desc.serialize_to_string()
    return content


def is_tensor(var: Any) -> bool:
    """Whether a variable is a dense tensor, and no reader, feed list or list of steps."""
    return bool(var.type == paddle.base.core.VarDesc.VarType.LOD_TENSOR)


def state_shapes(program: Any) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the persistable tensors of a program: parameters and statistics."""
    return {
        var.name: tuple(var.shape)
        for var in program.list_vars()
        if var.persistable and is_tensor(var)
    }


def state_types(program: Any) -> dict[str, str]:
    """The type of number of each persistable tensor, in numpy's words: ``float32``."""
    names = paddle.base.data_feeder.convert_dtype
    return {
        var.name: str(names(var.dtype))
        for var in program.list_vars()
        if var.persistable and is_tensor(var)
    }


def forward_names(program: Any) -> list[str]:
    """Tensors that the forward ops of a paddle program read and write, in the order of ops."""
    block = program.global_block()
    names: dict[str, None] = {}
    for op in block.ops:
        if op.attr("op_role") & (ROLE_BACKWARD | ROLE_OPTIMIZE):
            continue
        for name in (*op.input_arg_names, *op.output_arg_names):
            if block.has_var(name) and is_tensor(block.var(name)):
                names[name] = None
    return list(names)


def infer_shapes(program: Any) -> None:
    """Give every activation the shape that follows from its op's inputs.

    Raises:
        RuntimeError, ValueError: the shapes do not fit one of the ops.
    """
    for block in program.blocks:
        for op in block.ops:
            if kind_of(op.type) not in ("input", "output") and not op.has_attr("sub_block"):
                op.desc.infer_shape(block.desc)


def set_values(scope: Any, place: Any, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Put arrays into variables of a scope."""
    for name, array in arrays.items():
        scope.var(name).get_tensor().set(np.ascontiguousarray(array), place)


def get_values(scope: Any, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Copies of variables of a scope."""
    return {name: np.array(scope.find_var(name).get_tensor()) for name in names}


def drop_values(scope: Any, names: Iterable[str]) -> None:
    """Free the memory of variables of a scope; what reads them next must write them first."""
    for name in names:
        scope.find_var(name).get_tensor()._clear()


def split_program(program: Any, gradients: list[str]) -> tuple[Any, Any]:
    """Split a train program in two: losses and gradients, then the optimizer's update.

    Run one after the other they do what the whole does. Between them the losses can be looked at,
    so that a step whose loss is not finite never touches the weights.

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


def keep_needed(program: Any, names: Iterable[str]) -> None:
    """Remove the ops of a paddle program that none of some variables depends on."""
    needed = set(names)
    kept = set()
    block = program.global_block()
    for index, op in reversed(list(enumerate(block.ops))):
        if not needed.isdisjoint(op.output_arg_names):
            kept.add(index)
            needed.update(op.input_arg_names)
    for index in reversed(range(len(block.ops))):
        if index not in kept:
            block._remove_op(index, sync=False)
    program._sync_with_cpp()


def read_names(program: Any) -> set[str]:
    """Every variable that some op of a paddle program reads."""
    return {name for op in program.global_block().ops for name in op.input_arg_names}


def keep_ops(program: Any, keep: Callable[[Any], bool]) -> None:
    """Remove the ops of a paddle program that are not to be kept."""
    block = program.global_block()
    for index in reversed(range(len(block.ops))):
        if not keep(block.ops[index]):
            block._remove_op(index, sync=False)
    program._sync_with_cpp()
