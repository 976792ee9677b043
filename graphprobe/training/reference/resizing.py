"""Operators that resize maps."""

from __future__ import annotations

import numpy as np

from graphprobe.ir import Op
from graphprobe.training.reference.kernel import Array, SlotArrays


def _interpolated_size(
    op: Op, inputs: SlotArrays, x: Array
) -> tuple[tuple[int, int], tuple[float, float]]:
    """Height and width of the result, and how many old pixels a new one steps."""
    scale = op.attrs.get("scale", ())
    factors = [float(f or 0) for f in (scale if isinstance(scale, tuple | list) else (scale,))]
    if inputs.get("OutSize"):
        height, width = map(int, inputs["OutSize"][0])
    elif inputs.get("SizeTensor"):
        height, width = (int(array.ravel()[0]) for array in inputs["SizeTensor"])
    elif factors and factors[0] > 0:
        fy, fx = factors[0], factors[-1]
        return (int(x.shape[2] * fy), int(x.shape[3] * fx)), (1 / fy, 1 / fx)
    else:
        height, width = int(op.get_int("out_h", -1)), int(op.get_int("out_w", -1))
    return (height, width), (x.shape[2] / height, x.shape[3] / width)


def _nearest(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    (height, width), steps = _interpolated_size(op, inputs, x)
    index = []
    for new, old, step in zip((height, width), x.shape[2:], steps, strict=True):
        if op.attrs.get("align_corners"):
            at = np.floor(np.arange(new) * ((old - 1) / max(new - 1, 1)) + 0.5)
        else:
            at = np.floor(np.arange(new) * step)
        index.append(np.minimum(at.astype(np.int64), old - 1))
    return {"Out": [x[:, :, index[0][:, None], index[1]]]}


def _bilinear(op: Op, inputs: SlotArrays) -> dict[str, list[Array]]:
    x = inputs["X"][0]
    sizes, steps = _interpolated_size(op, inputs, x)
    corners = bool(op.attrs.get("align_corners", True))
    half = op.get_int("align_mode", 1) == 0
    for axis, (new, step) in enumerate(zip(sizes, steps, strict=True), start=2):
        old = x.shape[axis]
        if corners:
            at = np.arange(new) * ((old - 1) / max(new - 1, 1))
        else:
            at = (np.arange(new) + 0.5) * step - 0.5 if half else np.arange(new) * step
        at = np.maximum(at, 0)
        low = np.minimum(at.astype(np.int64), old - 1)
        high = np.minimum(low + 1, old - 1)
        share = (at - low).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(4)])
        x = x.take(low, axis) * (1 - share) + x.take(high, axis) * share
    return {"Out": [x]}


RESIZING = {"nearest_interp_v2": _nearest, "bilinear_interp_v2": _bilinear}
