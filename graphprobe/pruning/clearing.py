"""Where zeros in the layers that make a channel are zeros still.

A channel that two features are summed over (query and key) is read by no weight. It counts
nothing where it is 0, so its pruning is proven with zeros in the filters and vectors that make it,
as far as they arrive: batch_norm with its scale and shift of zero, relu and reshape hand them on,
sigmoid does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphprobe.ops import OpSpec
from graphprobe.ops.channels.layout import ChannelLayout
from graphprobe.ops.channels.spec import Effect, OpContext, Port, Propagate, PruneAlong
from graphprobe.pruning.parameter_forms import makes_no_zero

_HANDING_ON = ("movement", "identity", "pool", "upsample", "reduce", "activation", "unary")
_FUSED = ("fuse_activation", "activation_type", "activation")


def clears_outputs(spec: OpSpec, view: OpContext, effects: Sequence[Effect]) -> bool:
    """Whether what an op writes is 0 in every channel whose layers, scales and shifts are 0."""
    carrying = [port for port in view.carrying() if port.layout is not None]
    vectors = {e.param for e in effects if isinstance(e, PruneAlong) and e.role != "in"}
    if spec.channels.makes:
        made = {(e.param, e.layout.axis) for e in effects if isinstance(e, PruneAlong)}
        given = [e.layout for e in effects if isinstance(e, Propagate)]
        whole = all(_is_made(layout, made) for layout in given)
        beside = view.port("ResidualData")
        fused = any(view.op.get_str(name) not in ("", "none", "relu") for name in _FUSED)
        return whole and not fused and (beside is None or beside.clears)
    if spec.kind == "norm":
        shift = view.port("Bias")
        shifted = shift is not None and shift.param is None and bool(shift.name)
        scaled = all(_is_vector(view.port(slot), vectors) for slot in ("Scale", "Bias"))
        return scaled and not shifted
    if spec.kind == "elementwise":
        return _combined_clears(spec, view, carrying, vectors)
    if spec.kind not in _HANDING_ON or makes_no_zero(spec, view.op):
        return False
    return all(port.clears for port in carrying)


def _is_made(layout: ChannelLayout, made: set[tuple[str, int]]) -> bool:
    return all(run.space in made for run in layout.runs)


def _is_vector(port: Port | None, vectors: set[str]) -> bool:
    return port is not None and port.param in vectors


def _combined_clears(
    spec: OpSpec, view: OpContext, carrying: Sequence[Port], vectors: set[str]
) -> bool:
    """A product is 0 where a factor is, a sum where all that is added is."""
    if spec.computes == "multiply":
        return any(port.clears for port in carrying)
    if spec.computes == "divide":
        x, y = view.port("X"), view.port("Y")
        return x is not None and y is not None and x.clears and y.layout is None
    if spec.computes not in ("add", "subtract"):
        return False
    ports = [port for each in view.inputs.values() for port in each]
    return all(port.clears if port.layout is not None else port.param in vectors for port in ports)
