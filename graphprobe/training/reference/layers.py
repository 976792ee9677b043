"""Operators with weights or windows: convolutions, pooling, norms, products, interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from graphprobe.ir import Op
from graphprobe.training.reference.kernel import Array, SlotArrays, number


def _pair(value: Any, usual: int = 1) -> tuple[int, int]:
    if isinstance(value, tuple | list) and value:
        return (int(value[0]), int(value[-1]))
    return (usual, usual)


def _sides(op: Op, size: Sequence[int], kernel: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Padding before and after, of height and width."""
    algorithm = op.attrs.get("padding_algorithm", "EXPLICIT")
    strides = _pair(op.attrs.get("strides"))
    if algorithm == "VALID":
        return ((0, 0), (0, 0))
    if algorithm == "SAME":
        needed = [
            max((-(-n // s) - 1) * s + k - n, 0)
            for n, s, k in zip(size, strides, kernel, strict=True)
        ]
        return tuple((n // 2, n - n // 2) for n in needed)
    given = op.attrs.get("paddings", (0, 0))
    pads = tuple(given) if isinstance(given, tuple | list) else (0, 0)
    if len(pads) == 4:
        return ((int(pads[0]), int(pads[1])), (int(pads[2]), int(pads[3])))
    return ((int(pads[0]),) * 2, (int(pads[-1]),) * 2)


def _is_last(op: Op) -> bool:
    names = ("data_format", "data_layout")
    return any(op.attrs.get(name) in ("NHWC",) for name in names)


def _sliding(x: Array, kernel: Sequence[int]) -> Array:
    """Every window of [N, C, H, W], as [N, C, h, w, i, j]."""
    found: Array = sliding_window_view(x, tuple(kernel), axis=(2, 3))  # type: ignore[call-overload]
    return found


def _conv(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x, weight = inputs["Input"][0], inputs["Filter"][0]
    if _is_last(op):
        x = x.transpose(0, 3, 1, 2)
    groups = int(op.get_int("groups", 1)) or 1
    strides, dilations = _pair(op.attrs.get("strides")), _pair(op.attrs.get("dilations"))
    kernel = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilations, strict=True)]
    x = np.pad(x, ((0, 0), (0, 0), *_sides(op, x.shape[2:], kernel)))
    windows = _sliding(x, kernel)
    windows = windows[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]
    n, c, h, w = windows.shape[:4]
    split = windows.reshape(n, groups, c // groups, h, w, *weight.shape[2:])
    filters = weight.reshape(groups, -1, *weight.shape[1:])
    y = np.einsum("ngchwij,gocij->ngohw", split, filters, optimize=True)
    y = y.reshape(n, -1, h, w).astype(x.dtype)
    if inputs.get("Bias"):
        y = y + inputs["Bias"][0].reshape(1, -1, 1, 1)
    return {"Output": [y.transpose(0, 2, 3, 1) if _is_last(op) else y]}


def _conv_transpose(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x, weight = inputs["Input"][0], inputs["Filter"][0]
    groups = int(op.get_int("groups", 1)) or 1
    strides, dilations = _pair(op.attrs.get("strides")), _pair(op.attrs.get("dilations"))
    kernel = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilations, strict=True)]
    n, c, h, w = x.shape
    (top, below), (left, right) = _sides(op, (h, w), kernel)
    more = _pair(op.attrs.get("output_padding"), 0)
    whole = [
        (size - 1) * s + k + m for size, s, k, m in zip((h, w), strides, kernel, more, strict=True)
    ]
    split = x.reshape(n, groups, c // groups, h, w)
    filters = weight.reshape(groups, c // groups, *weight.shape[1:])
    y = np.zeros((n, groups, weight.shape[1], *whole), x.dtype)
    for i in range(weight.shape[2]):
        for j in range(weight.shape[3]):
            part = np.einsum("ngchw,gco->ngohw", split, filters[..., i, j], optimize=True)
            at = i * dilations[0], j * dilations[1]
            rows = slice(at[0], at[0] + (h - 1) * strides[0] + 1, strides[0])
            columns = slice(at[1], at[1] + (w - 1) * strides[1] + 1, strides[1])
            y[..., rows, columns] += part
    y = y.reshape(n, -1, *whole)[:, :, top : whole[0] - below, left : whole[1] - right]
    return {"Output": [y]}


def _pool(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    if _is_last(op):
        x = x.transpose(0, 3, 1, 2)
    largest = op.attrs.get("pooling_type") == "max"
    reduce = np.max if largest else np.mean
    kernel = _pair(op.attrs.get("ksize"))
    if op.attrs.get("global_pooling"):
        y = reduce(x, axis=(2, 3), keepdims=True)
    elif op.attrs.get("adaptive"):
        y = np.stack(
            [
                np.stack(
                    [
                        reduce(x[:, :, a:b, c:d], axis=(2, 3))
                        for c, d in _bins(x.shape[3], kernel[1])
                    ],
                    -1,
                )
                for a, b in _bins(x.shape[2], kernel[0])
            ],
            -2,
        )
    else:
        y = _windows(op, x, kernel, largest)
    y = y.astype(x.dtype)
    return {"Out": [y.transpose(0, 2, 3, 1) if _is_last(op) else y]}


def _bins(size: int, count: int) -> list[tuple[int, int]]:
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _windows(op: Op, x: Array, kernel: tuple[int, int], largest: bool) -> Array:
    strides = _pair(op.attrs.get("strides"))
    sides = [list(side) for side in _sides(op, x.shape[2:], kernel)]
    extra = [0, 0]
    if op.attrs.get("ceil_mode"):
        for axis in (0, 1):
            space = x.shape[2 + axis] + sum(sides[axis]) - kernel[axis]
            extra[axis] = -space % strides[axis]
    pads = ((0, 0), (0, 0), *((a, b + e) for (a, b), e in zip(sides, extra, strict=True)))

    def cut(values: Array) -> Array:
        return _sliding(values, kernel)[:, :, :: strides[0], :: strides[1]]

    if largest:
        least = np.finfo(x.dtype).min if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        highest: Array = cut(np.pad(x, pads, constant_values=least)).max((-2, -1))
        return highest
    ones = np.ones_like(x)
    if op.attrs.get("exclusive", True):
        counted = np.pad(ones, pads)
    else:  # padding counts, what ceil_mode adds does not
        (top, below), (left, right) = sides
        ones = np.pad(ones, ((0, 0), (0, 0), (top, below), (left, right)), constant_values=1)
        counted = np.pad(ones, ((0, 0), (0, 0), (0, extra[0]), (0, extra[1])))
    counts = np.maximum(cut(counted).sum((-2, -1)), 1)
    means: Array = cut(np.pad(x, pads)).sum((-2, -1)) / counts
    return means


def _batch_norm(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    shape = [1] * x.ndim
    shape[-1 if op.attrs.get("data_layout") == "NHWC" else 1] = -1
    mean, variance, scale, bias = (
        inputs[slot][0].reshape(shape) for slot in ("Mean", "Variance", "Scale", "Bias")
    )
    y = (x - mean) / np.sqrt(variance + np.float32(number(op, "epsilon", 1e-5))) * scale + bias
    return {
        "Y": [y.astype(x.dtype)],
        "MeanOut": inputs["Mean"],
        "VarianceOut": inputs["Variance"],
    }


def _layer_norm(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    begin = int(op.get_int("begin_norm_axis", 1))
    flat = x.reshape(prod(x.shape[:begin]), -1)
    mean, variance = flat.mean(1, keepdims=True), flat.var(1, keepdims=True)
    y = (flat - mean) / np.sqrt(variance + number(op, "epsilon", 1e-5))
    for slot, apply in (("Scale", np.multiply), ("Bias", np.add)):
        if inputs.get(slot):
            y = apply(y, inputs[slot][0].reshape(1, -1))
    return {
        "Y": [y.reshape(x.shape).astype(x.dtype)],
        "Mean": [mean[:, 0]],
        "Variance": [variance[:, 0]],
    }


def _matmul(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x, y = inputs["X"][0], inputs["Y"][0]
    if op.attrs.get("trans_x") and x.ndim > 1:
        x = x.swapaxes(-1, -2)
    if op.attrs.get("trans_y") and y.ndim > 1:
        y = y.swapaxes(-1, -2)
    return {"Out": [x @ y]}


def _mul(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x, y = inputs["X"][0], inputs["Y"][0]
    a, b = int(op.get_int("x_num_col_dims", 1)), int(op.get_int("y_num_col_dims", 1))
    flat = x.reshape(prod(x.shape[:a]), -1) @ y.reshape(prod(y.shape[:b]), -1)
    return {"Out": [flat.reshape(*x.shape[:a], *y.shape[b:])]}


LAYERS = {
    "conv2d": _conv,
    "depthwise_conv2d": _conv,
    "conv2d_transpose": _conv_transpose,
    "depthwise_conv2d_transpose": _conv_transpose,
    "pool2d": _pool,
    "batch_norm": _batch_norm,
    "sync_batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "matmul_v2": _matmul,
    "mul": _mul,
}
