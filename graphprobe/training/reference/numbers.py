"""Operators that compute number by number, or along an axis."""

from __future__ import annotations

from collections.abc import Callable
from math import erf

import numpy as np

from graphprobe.ir import Op
from graphprobe.training.reference.kernel import Array, Run, SlotArrays, number


def _unary(compute: Callable[[Array], Array]) -> Run:
    def run(_op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
        x = inputs["X"][0]
        return {"Out": [np.asarray(compute(x)).astype(x.dtype)]}

    return run


def _with_attrs(compute: Callable[[Op, Array], Array]) -> Run:
    def run(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
        x = inputs["X"][0]
        return {"Out": [np.asarray(compute(op, x)).astype(x.dtype)]}

    return run


def _binary(compute: Callable[[Array, Array], Array]) -> Run:
    """Of X and Y, whose first axis is that of the attribute axis of X."""

    def run(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
        x, y = inputs["X"][0], inputs["Y"][0]
        axis = op.get_int("axis", -1)
        if axis >= 0 and 0 < y.ndim < x.ndim:
            y = y.reshape(y.shape + (1,) * (x.ndim - axis - y.ndim))
        return {"Out": [np.asarray(compute(x, y))]}

    return run


def _sigmoid(x: Array) -> Array:
    y: Array = 1 / (1 + np.exp(-x.astype(np.float64)))
    return y


def _gelu(op: Op, x: Array) -> Array:
    if op.attrs.get("approximate"):
        share = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    else:
        share = np.vectorize(erf, otypes=[np.float64])(x / np.sqrt(2))
    y: Array = 0.5 * x * (1 + share)
    return y


def _hard_swish(op: Op, x: Array) -> Array:
    threshold, scale, offset = (
        number(op, name, usual)
        for name, usual in (("threshold", 6.0), ("scale", 6.0), ("offset", 3.0))
    )
    return x * np.clip(x + offset, 0, threshold) / scale


def _scale(op: Op, x: Array) -> Array:
    scale, bias = number(op, "scale", 1.0), number(op, "bias", 0.0)
    return x * scale + bias if op.attrs.get("bias_after_scale", True) else (x + bias) * scale


def _softmax(op: Op, x: Array) -> Array:
    axis = op.get_int("axis", -1)
    powers = np.exp(x - x.max(axis, keepdims=True))
    y: Array = powers / powers.sum(axis, keepdims=True)
    return y


def _dropout(op: Op, x: Array) -> Array:
    if op.attrs.get("dropout_implementation", "downgrade_in_infer") == "upscale_in_train":
        return x
    return x * (1 - number(op, "dropout_prob", 0.5))


def _reduce(compute: Callable[..., Array]) -> Run:
    def run(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
        x, axes = inputs["X"][0], op.attrs.get("dim", ())
        names = tuple(map(int, axes)) if isinstance(axes, tuple | list) else (int(axes or 0),)
        whole = op.attrs.get("reduce_all") or not names
        keep = bool(op.attrs.get("keep_dim", False))
        y = compute(x, axis=None if whole else names, keepdims=keep)
        return {"Out": [np.asarray(y).astype(x.dtype)]}

    return run


def _sum(_op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    return {"Out": [np.sum(np.stack(inputs["X"]), axis=0)]}


def _arg_max(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    if op.attrs.get("flatten"):
        return {"Out": [np.asarray(x.argmax())]}
    keep = bool(op.attrs.get("keepdims", False))
    return {"Out": [x.argmax(op.get_int("axis", -1), keepdims=keep)]}


NUMBERS: dict[str, Run] = {
    "relu": _unary(lambda x: np.maximum(x, 0)),
    "relu6": _unary(lambda x: np.clip(x, 0, 6)),
    "sigmoid": _unary(_sigmoid),
    "tanh": _unary(np.tanh),
    "sqrt": _unary(np.sqrt),
    "rsqrt": _unary(lambda x: 1 / np.sqrt(x)),
    "exp": _unary(np.exp),
    "log": _unary(np.log),
    "abs": _unary(np.abs),
    "square": _unary(np.square),
    "floor": _unary(np.floor),
    "silu": _unary(lambda x: x * _sigmoid(x)),
    "mish": _unary(lambda x: x * np.tanh(np.log1p(np.exp(x.astype(np.float64))))),
    "swish": _with_attrs(lambda op, x: x * _sigmoid(x * number(op, "beta", 1.0))),
    "gelu": _with_attrs(_gelu),
    "leaky_relu": _with_attrs(lambda op, x: np.where(x > 0, x, x * number(op, "alpha", 0.02))),
    "hard_sigmoid": _with_attrs(
        lambda op, x: np.clip(x * number(op, "slope", 0.2) + number(op, "offset", 0.5), 0, 1)
    ),
    "hard_swish": _with_attrs(_hard_swish),
    "scale": _with_attrs(_scale),
    "softmax": _with_attrs(_softmax),
    "dropout": _with_attrs(_dropout),
    "elementwise_add": _binary(np.add),
    "elementwise_sub": _binary(np.subtract),
    "elementwise_mul": _binary(np.multiply),
    "elementwise_div": _binary(np.divide),
    "elementwise_max": _binary(np.maximum),
    "elementwise_min": _binary(np.minimum),
    "elementwise_pow": _binary(np.power),
    "greater_than": _binary(np.greater),
    "less_than": _binary(np.less),
    "reduce_mean": _reduce(np.mean),
    "reduce_sum": _reduce(np.sum),
    "reduce_max": _reduce(np.max),
    "reduce_min": _reduce(np.min),
    "sum": _sum,
    "arg_max": _arg_max,
}
