"""Public functions of Paddle 3.2 and later that refuse a variable of the old form of programs.

They became bare C++ functions that take a Tensor, or a Value of the new form. For a Variable each
function here emits the op that Paddle 2.6 emits, under the same name; whatever else it is called
with goes to Paddle's own. `emit_old_ops` puts them into Paddle's modules, so that layers of
``paddle.nn`` and a user's own network work too.

Source: paddle 2.6.2, tensor/{math,ops,logic,linalg,search,creation,manipulation}.py and
nn/functional/{activation,vision}.py, the branches of the static mode; paddle 3.3.1,
base/dygraph/generated_tensor_methods_patch.py, the list of functions.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

Axes = int | Sequence[int] | None


def _append(
    called: str,
    op: str,
    inputs: dict[str, Any],
    attrs: dict[str, Any] | None = None,
    *,
    name: str | None,
    dtype: Any = None,
) -> Any:
    """Append one op with one output, named as Paddle names it: `name`, or `called` and a count."""
    from paddle.base.layer_helper import LayerHelper

    helper = LayerHelper(called, name=name)
    first = next(iter(inputs.values()))
    out = helper.create_variable_for_type_inference(dtype=first.dtype if dtype is None else dtype)
    helper.append_op(type=op, inputs=inputs, outputs={"Out": [out]}, attrs=attrs or {})
    return out


def _unary(op: str, dtype: str | None = None) -> Callable[..., Any]:
    def build(x: Any, name: str | None = None) -> Any:
        return _append(op, op, {"X": x}, dtype=dtype, name=name)

    return build


def _binary(op: str, dtype: str | None = None, attrs: dict[str, Any] | None = None) -> Any:
    def build(x: Any, y: Any, name: str | None = None) -> Any:
        return _append(op, op, {"X": x, "Y": y}, attrs, dtype=dtype, name=name)

    return build


def _elementwise(op: str) -> Callable[..., Any]:
    """These name their output by the op's own count, without the ``.tmp_0`` of the others."""

    def build(x: Any, y: Any, name: str | None = None) -> Any:
        from paddle.base.layer_helper import LayerHelper

        helper = LayerHelper(op, name=name)
        out = helper.create_variable(name=helper.name, dtype=x.dtype, persistable=False)
        helper.append_op(type=op, inputs={"X": x, "Y": y}, outputs={"Out": out}, attrs={"axis": -1})
        return out

    return build


def _axes(axis: Axes, rank: int) -> tuple[list[int], bool]:
    """The axes as a list, and whether all are reduced."""
    if axis is None:
        return [], True
    found = [axis] if isinstance(axis, int) else list(axis)
    return found, not found or len(found) == rank


def _reduction(called: str, op: str, dtype: str | None = None) -> Callable[..., Any]:
    def build(x: Any, axis: Axes = None, keepdim: bool = False, name: str | None = None) -> Any:
        dim, whole = _axes(axis, len(x.shape))
        attrs = {"dim": dim, "keep_dim": keepdim, "reduce_all": whole}
        return _append(called, op, {"X": x}, attrs, dtype=dtype, name=name)

    return build


def _sum(
    x: Any, axis: Axes = None, dtype: Any = None, keepdim: bool = False, name: str | None = None
) -> Any:
    dim, whole = _axes(axis, len(x.shape))
    attrs: dict[str, Any] = {"dim": dim, "keep_dim": keepdim, "reduce_all": whole}
    if dtype is not None:
        attrs |= {"in_dtype": x.dtype, "out_dtype": _dtype(dtype)}
    return _append("sum", "reduce_sum", {"X": x}, attrs, dtype=dtype, name=name)


def _logsumexp(x: Any, axis: Axes = None, keepdim: bool = False, name: str | None = None) -> Any:
    dim, whole = _axes(axis, len(x.shape))
    attrs = {"axis": dim, "keepdim": keepdim, "reduce_all": whole}
    return _append("logsumexp", "logsumexp", {"X": x}, attrs, name=name)


def _matmul(
    x: Any, y: Any, transpose_x: bool = False, transpose_y: bool = False, name: str | None = None
) -> Any:
    attrs = {"trans_x": transpose_x, "trans_y": transpose_y}
    return _append("matmul_v2", "matmul_v2", {"X": x, "Y": y}, attrs, name=name)


def _arg(called: str, op: str) -> Callable[..., Any]:
    def build(
        x: Any,
        axis: int | None = None,
        keepdim: bool = False,
        dtype: Any = "int64",
        name: str | None = None,
    ) -> Any:
        kind = _dtype(dtype)
        attrs = {
            "keepdims": keepdim,
            "axis": 0 if axis is None else axis,
            "flatten": axis is None,
            "dtype": kind,
        }
        out = _append(called, op, {"X": x}, attrs, dtype=kind, name=name)
        out.stop_gradient = True
        return out

    return build


def _softplus(x: Any, beta: float = 1, threshold: float = 20, name: str | None = None) -> Any:
    attrs = {"beta": float(beta), "threshold": float(threshold)}
    return _append("softplus", "softplus", {"X": x}, attrs, name=name)


def _gelu(x: Any, approximate: bool = False, name: str | None = None) -> Any:
    return _append("gelu", "gelu", {"X": x}, {"approximate": bool(approximate)}, name=name)


def _expand_as(x: Any, y: Any, name: str | None = None) -> Any:
    attrs = {"target_shape": list(y.shape)}
    return _append("expand_as", "expand_as_v2", {"X": x, "Y": y}, attrs, name=name)


def _triangle(called: str, lower: bool) -> Callable[..., Any]:
    def build(x: Any, diagonal: int = 0, name: str | None = None) -> Any:
        attrs = {"diagonal": diagonal, "lower": lower}
        return _append(called, "tril_triu", {"X": x}, attrs, name=name)

    return build


def _roll(x: Any, shifts: Any, axis: Axes = None, name: str | None = None) -> Any:
    attrs = {
        "axis": [] if axis is None else _axes(axis, len(x.shape))[0],
        "shifts": [shifts] if isinstance(shifts, int) else list(shifts),
    }
    return _append("roll", "roll", {"X": x}, attrs, name=name)


def _grid_sample(
    x: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = True,
    name: str | None = None,
) -> Any:
    from paddle.base.layer_helper import LayerHelper

    helper = LayerHelper("grid_sample", name=name)
    out = helper.create_variable_for_type_inference(x.dtype)
    attrs = {"align_corners": align_corners, "mode": mode, "padding_mode": padding_mode}
    helper.append_op(
        type="grid_sampler", inputs={"X": x, "Grid": grid}, outputs={"Output": out}, attrs=attrs
    )
    return out


def _dtype(dtype: Any) -> Any:
    from paddle.base.framework import convert_np_dtype_to_dtype_

    return convert_np_dtype_to_dtype_(dtype) if isinstance(dtype, str) else dtype


# Functions of one variable whose op has their name.
_SAME_NAME = (
    "abs", "acos", "acosh", "asin", "atanh", "ceil", "cos", "cosh", "exp", "expm1", "floor",
    "log", "log10", "log1p", "log2", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "tanh",
)  # fmt: skip

# Name of a public function -> what emits its op.
EMITTERS: dict[str, Callable[..., Any]] = {
    **{name: _unary(name) for name in _SAME_NAME},
    "isfinite": _unary("isfinite_v2", "bool"),
    "isinf": _unary("isinf_v2", "bool"),
    "isnan": _unary("isnan_v2", "bool"),
    "logical_not": _unary("logical_not", "bool"),
    "logical_and": _binary("logical_and", "bool"),
    "logical_or": _binary("logical_or", "bool"),
    "logical_xor": _binary("logical_xor", "bool"),
    "greater_than": _binary("greater_than", "bool", {"axis": -1}),
    "multiply": _elementwise("elementwise_mul"),
    "maximum": _elementwise("elementwise_max"),
    "minimum": _elementwise("elementwise_min"),
    "bmm": _binary("bmm"),
    "dot": _binary("dot"),
    "all": _reduction("all", "reduce_all", "bool"),
    "any": _reduction("any", "reduce_any", "bool"),
    "amax": _reduction("amax", "reduce_amax"),
    "amin": _reduction("amin", "reduce_amin"),
    "sum": _sum,
    "logsumexp": _logsumexp,
    "matmul": _matmul,
    "argmax": _arg("argmax", "arg_max"),
    "argmin": _arg("argmin", "arg_min"),
    "softplus": _softplus,
    "gelu": _gelu,
    "expand_as": _expand_as,
    "tril": _triangle("tril", lower=True),
    "triu": _triangle("triu", lower=False),
    "roll": _roll,
    "grid_sample": _grid_sample,
}


# Attribute of the functions that stand in Paddle's modules already: they are put there once.
_OURS = "graphprobe_emits"


def emit_old_ops(paddle: Any) -> None:
    """Put the functions above into every module of paddle that holds a refusing one.

    Nothing happens where there are none (Paddle before 3.0), or where it was done before.
    """
    refusing = _refusing()
    if not refusing:
        return
    variable = paddle.static.Variable
    ours = {id(old): _either(old, EMITTERS[name], variable) for old, name in refusing}
    modules = [m for name, m in sys.modules.items() if name.partition(".")[0] == "paddle"]
    for place in [*modules, variable]:
        for name in EMITTERS:
            found = vars(place).get(name)
            if id(found) in ours:
                setattr(place, name, ours[id(found)])


def _refusing() -> list[tuple[Any, str]]:
    """Each function that refuses, in both forms that Paddle hands around, with its name."""
    try:
        from paddle.base.dygraph import generated_tensor_methods_patch as generated
    except ImportError:
        return []
    from paddle import _C_ops

    if hasattr(_C_ops.sum, _OURS):
        return []
    maps = [*generated.methods_map, *generated.funcs_map, *generated.nn_funcs_map]
    named = {(id(f), name): (f, name) for name, f in maps if name in EMITTERS}
    for name in {name for _, name in named.values()}:
        bare = getattr(_C_ops, name)
        named[id(bare), name] = (bare, name)
    return list(named.values())


def _either(
    own: Callable[..., Any], emit: Callable[..., Any], variable: type
) -> Callable[..., Any]:
    """The function that emits an op for a Variable and leaves the rest to Paddle's own."""

    @functools.wraps(own)
    def call(*args: Any, **kwargs: Any) -> Any:
        first = args[0] if args else kwargs.get("x", kwargs.get("input"))
        if isinstance(first, variable):
            return emit(*args, **kwargs)
        return own(*args, **kwargs)

    setattr(call, _OURS, True)
    return call
