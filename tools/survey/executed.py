"""Multiply-adds of a network from the shapes that a run of it has."""

from __future__ import annotations

from math import prod
from typing import Any

import paddle

from graphprobe.training.networks.forward import Forward

CONV_TRANSPOSE = ("conv2d_transpose", "depthwise_conv2d_transpose")
DEFORMABLE = ("deformable_conv", "deformable_conv_v1")
CONVS = ("conv2d", "depthwise_conv2d", "conv3d", *DEFORMABLE, *CONV_TRANSPOSE)
LINEARS = ("matmul_v2", "matmul", "mul")


def executed_work(forward: Forward) -> int:
    """Of convolutions and products of matrices."""
    block = forward.program.global_block()
    counted = [op for op in block.ops if op.type in (*CONVS, *LINEARS, "bmm")]
    shapes = _shapes(forward, counted)
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


def _shapes(forward: Forward, ops: list[Any]) -> dict[str, tuple[int, ...]]:
    block = forward.program.global_block()
    names = {n for op in ops for n in (*op.input_arg_names, *op.output_arg_names)}
    wanted = [n for n in sorted(names) if not block.var(n).persistable]
    executor = paddle.static.Executor(paddle.CPUPlace())
    found = executor.run(
        forward.program,
        feed=forward.batch,
        fetch_list=wanted,
        scope=forward.scope,
        return_numpy=False,
    )
    executor.close()
    forward.scope.drop_kids()
    shapes = {n: tuple(t.shape()) for n, t in zip(wanted, found, strict=True)}
    shapes.update({n: tuple(block.var(n).shape) for n in names if block.var(n).persistable})
    return shapes
