"""The stages of a backbone: what stands first and last at each stride.

The backbone is what leads, without any upsampling, to the coarsest feature maps, the layers that
make the network's outputs left out. A stage holds what every path to those maps crosses at one
stride, so a branch inside a residual block never counts, however deep or wide the network. It ends
where a branch leads to an upsampling: there the neck reads it.
"""

from __future__ import annotations

from itertools import pairwise

from graphprobe.ir import Value
from graphprobe.ir.dataflow import reachable
from graphprobe.ops.kinds import is_upsampler, kind_of, reads_size_only
from graphprobe.pairing.analysis import ProgramAnalysis, Stride
from graphprobe.pairing.cut_vertices import cut_vertices
from graphprobe.pairing.decoding_heads import network_heads
from graphprobe.pairing.features import Feature, make_feature
from graphprobe.pairing.trace import layer_of, producing_layers

STAGE = "backbone stage"


def stages(analysis: ProgramAnalysis) -> list[tuple[Feature, Feature]]:
    """The first and the last feature of each stage, from the finest stride to the coarsest."""
    ends: dict[Stride, tuple[Value, Value]] = {}
    for value in _cut_vertices(analysis):
        stride = _stride(analysis, value.id)
        ends[stride] = (ends[stride][0] if stride in ends else value, value)
    return [(_feature(analysis, first), _feature(analysis, last)) for first, last in ends.values()]


def _feature(analysis: ProgramAnalysis, value: Value) -> Feature:
    return make_feature(analysis, value, STAGE, "last feature of the backbone at its stride")


def _cut_vertices(analysis: ProgramAnalysis) -> list[Value]:
    """What every path through the backbone crosses, in order."""
    encoder = _encoder(analysis)
    coarsest = max((_stride(analysis, i) for i in encoder), default=(0.0, 0.0))
    ends = [i for i in encoder if _stride(analysis, i) == coarsest]
    trunk = reachable(ends, lambda i: (j for j in analysis.predecessors(i) if j in encoder))
    producers = {analysis.flow.values[i].producer for i in trunk}
    vertices = cut_vertices(analysis, (p for p in producers if p is not None), trunk)
    vertices = [v for v in vertices if not _is_passive(analysis, v)]
    large = [v for v in vertices if max(_stride(analysis, v.id)) >= 2]
    by_stride: dict[Stride, list[Value]] = {}
    for vertex in large:
        by_stride.setdefault(_stride(analysis, vertex.id), []).append(vertex)
    return [v for stage in by_stride.values() for v in _before_branch(analysis, stage)]


def _before_branch(analysis: ProgramAnalysis, vertices: list[Value]) -> list[Value]:
    """The cut vertices of a stride up to the first that also leads to an upsampling.

    What stands behind such a branch is no longer what the neck reads: at the coarsest stride it is
    the neck's own, before that the first layer of the next stage.
    """
    for i, (value, after) in enumerate(pairwise(vertices)):
        if _leads_up(analysis, value, after):
            return vertices[: i + 1]
    return vertices


def _leads_up(analysis: ProgramAnalysis, value: Value, around: Value) -> bool:
    """Whether an upsampling can be reached from a value without passing another value."""
    seen = {value.id, around.id}
    queue = [value]
    for here in queue:
        for op in analysis.consumers(here):
            if reads_size_only(op.type):
                continue
            if is_upsampler(op.type):
                return True
            for written in analysis.flow.writes(op):
                if written.id not in seen:
                    seen.add(written.id)
                    queue.append(written)
    return False


def _is_passive(analysis: ProgramAnalysis, value: Value) -> bool:
    op = analysis.producer(value)
    return op is None or kind_of(op.type) in ("pad", "identity")


def _encoder(analysis: ProgramAnalysis) -> set[int]:
    """Ids of the feature maps behind a layer that no upsampling led to."""
    up = analysis.upsampled
    outputs = _output_layers(analysis)
    cells = _cells(analysis)
    return {
        value.id
        for value in analysis.flow.values
        if analysis.after_first_layer[value.id]
        and not up[value.id]
        and value.id not in cells
        and value.producer not in outputs
        and _is_map(analysis, value)
    }


def _cells(analysis: ProgramAnalysis) -> set[int]:
    """Ids of what follows a pool to a given number of cells: the context that a neck looks at."""
    pools = (op for op in analysis.ops if kind_of(op.type) == "pool" and op.attrs.get("adaptive"))
    several = (op for op in pools if max(op.get_ints("ksize"), default=1) > 1)
    queue = [value for op in several for value in analysis.flow.writes(op)]
    seen = {value.id for value in queue}
    for here in queue:
        for op in analysis.consumers(here):
            new = [value for value in analysis.flow.writes(op) if value.id not in seen]
            seen.update(value.id for value in new)
            queue += new
    return seen


def _output_layers(analysis: ProgramAnalysis) -> set[int]:
    """Ids of the ops of the layers that make the outputs of the network."""
    heads = network_heads(analysis)
    values = producing_layers(analysis, [analysis.flow.values[head.value] for head in heads])
    ends = (analysis.producer(value) for value in values)
    return {op.id for end in ends if end is not None for op in layer_of(analysis, end)}


def _is_map(analysis: ProgramAnalysis, value: Value) -> bool:
    place, shape = analysis.spatial[value.id], analysis.shape(value)
    if place is None or place.h is None or shape is None or len(shape) != 4:
        return False
    var = analysis.program.var(value.name)
    return var is None or not var.persistable


def _stride(analysis: ProgramAnalysis, value: int) -> Stride:
    return analysis.stride(analysis.flow.values[value]) or (0.0, 0.0)
