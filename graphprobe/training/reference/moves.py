"""Operators that move numbers, make them, or look at sizes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from graphprobe.formats.programdesc.types import DTYPES
from graphprobe.ir import Op
from graphprobe.training.reference.kernel import Array, Run, SlotArrays


def _ints(value: Any) -> tuple[int, ...]:
    if isinstance(value, tuple | list):
        return tuple(map(int, value))
    return () if value is None else (int(value),)


def _listed(inputs: SlotArrays, slots: tuple[str, ...], usual: Any) -> tuple[int, ...]:
    """Whole numbers that come from tensors where there are some, else from an attribute."""
    for slot in slots:
        if inputs.get(slot):
            return tuple(int(v) for array in inputs[slot] for v in np.ravel(array))
    return _ints(usual)


def _dtype(value: Any, usual: str = "float32") -> np.dtype[Any]:
    name = DTYPES.get(value, usual) if isinstance(value, int) else str(value or usual)
    return np.dtype(name)


def _reshape(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    wanted = _listed(inputs, ("ShapeTensor", "Shape"), op.attrs.get("shape", ()))
    shape = [x.shape[i] if size == 0 else size for i, size in enumerate(wanted)]
    return {"Out": [x.reshape(shape)]}


def _flatten(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    start, stop = op.get_int("start_axis", 1) % x.ndim, op.get_int("stop_axis", -1) % x.ndim
    middle = prod(x.shape[start : stop + 1])
    return {"Out": [x.reshape(*x.shape[:start], middle, *x.shape[stop + 1 :])]}


def _transpose(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    return {"Out": [inputs["X"][0].transpose(_ints(op.attrs.get("axis")))]}


def _concat(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    axis = _listed(inputs, ("AxisTensor",), op.attrs.get("axis", 0))
    return {"Out": [np.concatenate(inputs["X"], axis[0])]}


def _stack(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    return {"Y": [np.stack(inputs["X"], op.get_int("axis", 0))]}


def _split(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    axis = _listed(inputs, ("AxisTensor",), op.attrs.get("axis", 0))[0]
    parts = _listed(inputs, ("SectionsTensorList",), op.attrs.get("sections", ()))
    if not parts:
        return {"Out": np.split(x, op.get_int("num", 1), axis)}
    known = sum(size for size in parts if size >= 0)
    sizes = [x.shape[axis] - known if size < 0 else size for size in parts]
    return {"Out": np.split(x, np.cumsum(sizes)[:-1], axis)}


def _unbind(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x, axis = inputs["X"][0], op.get_int("axis", 0)
    return {"Out": [x.take(i, axis) for i in range(x.shape[axis])]}


def _slice(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["Input"][0]
    axes = _ints(op.attrs.get("axes"))
    starts = _listed(inputs, ("StartsTensor", "StartsTensorList"), op.attrs.get("starts"))
    ends = _listed(inputs, ("EndsTensor", "EndsTensorList"), op.attrs.get("ends"))
    parts = [slice(None)] * x.ndim
    for axis, start, end in zip(axes, starts, ends, strict=True):
        parts[axis] = slice(start, end)
    y = x[tuple(parts)]
    gone = _ints(op.attrs.get("decrease_axis"))
    return {"Out": [np.asarray(y.squeeze(gone) if gone else y)]}


def _squeeze(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    axes = _listed(inputs, ("AxisTensor", "AxesTensorList"), op.attrs.get("axes", ()))
    ones = tuple(a % x.ndim for a in axes if x.shape[a] == 1)
    return {"Out": [x.squeeze(ones if axes else None)]}


def _unsqueeze(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    y = inputs["X"][0]
    for axis in _listed(inputs, ("AxesTensor", "AxesTensorList"), op.attrs.get("axes", ())):
        y = np.expand_dims(y, axis)
    return {"Out": [y]}


def _expand(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    slots = ("Shape", "expand_shapes_tensor")
    wanted = _listed(inputs, slots, op.attrs.get("shape", ()))
    sizes = (1,) * (len(wanted) - x.ndim) + x.shape
    shape = [n if w < 0 else w for w, n in zip(wanted, sizes, strict=True)]
    return {"Out": [np.broadcast_to(x, shape).copy()]}


def _tile(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    slots = ("RepeatTimes", "repeat_times_tensor")
    return {"Out": [np.tile(inputs["X"][0], _listed(inputs, slots, op.attrs.get("repeat_times")))]}


def _shape(_op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    return {"Out": [np.asarray(inputs["Input"][0].shape, np.int32)]}


def _fill(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    text = op.attrs.get("str_value") or None
    value: Any = float(str(text)) if text is not None else op.attrs.get("value", 0.0)
    if inputs.get("ValueTensor"):
        value = inputs["ValueTensor"][0].ravel()[0]
    slots = ("ShapeTensor", "ShapeTensorList")
    shape = _listed(inputs, slots, op.attrs.get("shape", ()))
    return {"Out": [np.full(shape, value, _dtype(op.attrs.get("dtype")))]}


def _cast(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    return {"Out": [inputs["X"][0].astype(_dtype(op.attrs.get("out_dtype")))]}


def _same(_op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    return {"Out": inputs["X"]}


def _gather(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    axis = _listed(inputs, ("Axis",), op.attrs.get("axis", 0))[0]
    return {"Out": [inputs["X"][0].take(inputs["Index"][0].ravel(), axis)]}


def _clip(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    least: Any = inputs["Min"][0] if inputs.get("Min") else op.attrs.get("min")
    most: Any = inputs["Max"][0] if inputs.get("Max") else op.attrs.get("max")
    return {"Out": [np.clip(x, least, most).astype(x.dtype)]}


def _where(_op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    return {"Out": [np.where(inputs["Condition"][0], inputs["X"][0], inputs["Y"][0])]}


MOVES: dict[str, Run] = {
    "reshape2": _reshape,
    "flatten_contiguous_range": _flatten,
    "transpose2": _transpose,
    "concat": _concat,
    "stack": _stack,
    "split": _split,
    "unbind": _unbind,
    "slice": _slice,
    "squeeze2": _squeeze,
    "unsqueeze2": _unsqueeze,
    "expand_v2": _expand,
    "tile": _tile,
    "shape": _shape,
    "fill_constant": _fill,
    "cast": _cast,
    "assign": _same,
    "gather": _gather,
    "clip": _clip,
    "where": _where,
}
