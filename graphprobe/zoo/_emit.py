"""Append ops that leave the variable names of Paddle 1.x static programs.

Paddle 2.6 names some variables after functions that 1.x did not have. Here every op goes
through a LayerHelper named as in 1.x: ``batch_norm_0.tmp_2`` is a norm's output and ``tmp_3``
its activation, ``nearest_interp_0.tmp_0`` an upsampled map, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from paddle.base.layer_helper import LayerHelper

from graphprobe.zoo._base import InputSpec

Var: TypeAlias = Any


def describe_feed(var: Var) -> InputSpec:
    """(name, shape, dtype) of an input."""
    dtype = str(var.dtype).rsplit(".", 1)[-1].lower()
    return var.name, tuple(var.shape), {"fp32": "float32"}.get(dtype, dtype)


def emit(
    kind: str,
    inputs: Mapping[str, Any],
    attrs: Mapping[str, Any] | None = None,
    *,
    label: str | None = None,
    name: str | None = None,
    slot: str = "Out",
    dtype: Any = None,
    extra: Sequence[tuple[str, Any]] = (),
) -> Var:
    """Append one op.

    Args:
        kind: the op's type.
        inputs: slot -> variable or variables.
        attrs: the op's attributes.
        label: what its output is named after (``LABEL_0.tmp_0``); the type by default.
        name: the output's whole name before ``.tmp_0``.
        slot: the slot of the output that is returned.
        dtype: of the output; by default that of the first input.
        extra: (slot, dtype) of further outputs that nothing reads.
    """
    first = next(iter(inputs.values()))
    dtype = dtype or (first[0] if isinstance(first, list) else first).dtype
    helper = LayerHelper(label or kind, name=name)
    outputs = {slot: helper.create_variable_for_type_inference(dtype)}
    for further, kind_of in extra:
        outputs[further] = helper.create_variable_for_type_inference(kind_of, stop_gradient=True)
    helper.append_op(type=kind, inputs=dict(inputs), outputs=outputs, attrs=dict(attrs or {}))
    return outputs[slot]
