"""The stages of a backbone: what stands first and last at each stride.

The backbone is what leads, without any upsampling, to the coarsest feature maps, the layers that
make the network's outputs left out. A stage holds what every path to those maps crosses at one
stride, so a branch inside a residual block never counts, however deep or wide the network.
"""

from __future__ import annotations

from graphprobe.ir import Value
from graphprobe.ir.dataflow import reachable
from graphprobe.ops.kinds import UPSAMPLERS
from graphprobe.pairing.analysis import ProgramAnalysis, Stride
from graphprobe.pairing.cut_vertices import cuts
from graphprobe.pairing.features import Feature, make_feature
from graphprobe.pairing.heads import decoding_heads, loss_heads
from graphprobe.pairing.trace import layer_of, layers_behind

STAGE = "backbone stage"
# They prepare what follows and add nothing of their own.
_PASSIVE = frozenset({"pad", "pad2d", "pad3d", "dropout", "assign", "cast"})


def stages(view: ProgramAnalysis) -> list[tuple[Feature, Feature]]:
    """The first and the last feature of each stage, from the finest stride to the coarsest."""
    ends: dict[Stride, tuple[Value, Value]] = {}
    for value in _waists(view):
        stride = _stride(view, value.id)
        ends[stride] = (ends[stride][0] if stride in ends else value, value)
    return [(_feature(view, first), _feature(view, last)) for first, last in ends.values()]


def _feature(view: ProgramAnalysis, value: Value) -> Feature:
    return make_feature(view, value, STAGE, "last feature of the backbone at its stride")


def _waists(view: ProgramAnalysis) -> list[Value]:
    """What every path through the backbone crosses, in order."""
    encoder = _encoder(view)
    coarsest = max((_stride(view, i) for i in encoder), default=(0.0, 0.0))
    ends = [i for i in encoder if _stride(view, i) == coarsest]
    trunk = reachable(ends, lambda i: (j for j in view.behind(i) if j in encoder))
    producers = {view.flow.values[i].producer for i in trunk}
    waists = cuts(view, (p for p in producers if p is not None), trunk)
    return [v for v in waists if max(_stride(view, v.id)) >= 2 and not _is_passive(view, v)]


def _is_passive(view: ProgramAnalysis, value: Value) -> bool:
    op = view.producer(value)
    return op is None or op.type in _PASSIVE


def _encoder(view: ProgramAnalysis) -> set[int]:
    """Ids of the feature maps behind a layer that no upsampling led to."""
    up = view.after(op for op in view.ops if op.type in UPSAMPLERS)
    outputs = _output_layers(view)
    return {
        value.id
        for value in view.flow.values
        if view.network[value.id]
        and not up[value.id]
        and value.producer not in outputs
        and _is_map(view, value)
    }


def _output_layers(view: ProgramAnalysis) -> set[int]:
    """Ids of the ops of the layers that make the outputs of the network."""
    heads = loss_heads(view) or decoding_heads(view)
    values = layers_behind(view, [view.flow.values[head.value] for head in heads])
    ends = (view.producer(value) for value in values)
    return {op.id for end in ends if end is not None for op in layer_of(view, end)}


def _is_map(view: ProgramAnalysis, value: Value) -> bool:
    place, shape = view.places[value.id], view.shape(value)
    if place is None or place.h is None or shape is None or len(shape) != 4:
        return False
    var = view.program.var(value.name)
    return var is None or not var.persistable


def _stride(view: ProgramAnalysis, value: int) -> Stride:
    return view.stride(view.flow.values[value]) or (0.0, 0.0)
