"""The outputs of a network as its train program shows them: what its losses read."""

from __future__ import annotations

from collections.abc import Container, Iterator

from graphprobe.ir import Op, Value
from graphprobe.ir.dataflow import reachable
from graphprobe.ops.facets import HeadSlot
from graphprobe.ops.kinds import computed_by, head_slots, is_upsampler, kind_of
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.classify import make_head
from graphprobe.pairing.features import Feature
from graphprobe.pairing.map_kinds import is_map
from graphprobe.pairing.parts import first_equal, vector_parts
from graphprobe.pairing.roles import BOX_HEAD, CLASS_HEAD, HEAD, SEGMENTATION, Reader
from graphprobe.pairing.trace import (
    ends_layer,
    outside,
    pre_activation,
    producing_layers,
    source_before_reshape,
    walk_back,
)
from graphprobe.pairing.usage import usage
from graphprobe.pairing.vector_kinds import scales_to_unit
from graphprobe.pairing.yolo_heads import once, yolo_heads


def loss_heads(analysis: ProgramAnalysis) -> list[Feature]:
    """What the losses of a train program read; empty for a program without a loss."""
    if "loss_heads" not in analysis.memo:
        analysis.memo["loss_heads"] = _loss_heads(analysis)
    return list(analysis.memo["loss_heads"])


def _loss_heads(analysis: ProgramAnalysis) -> list[Feature]:
    yolo = yolo_heads(analysis, "loss")
    if yolo:
        return yolo
    typed = _typed_heads(analysis)
    boxes = yolo_heads(analysis, "decode")
    if {head.value for head in boxes} & {head.value for head in typed}:
        return boxes
    known = {head.value for head in typed}
    return _of_levels(once([*typed, *_heads_of_composite_loss(analysis, known)]))


def _of_levels(heads: list[Feature]) -> list[Feature]:
    """Scores at several strides, each beside boxes of its cells, are a detector's."""
    strides = {head.stride for head in heads if head.kind == SEGMENTATION}
    beside = {head.stride for head in heads if head.kind in (HEAD, BOX_HEAD)}
    if len(strides) < 2 or None in strides or not strides <= beside:
        return heads
    return [h._replace(kind=CLASS_HEAD) if h.kind == SEGMENTATION else h for h in heads]


def _typed_heads(analysis: ProgramAnalysis) -> list[Feature]:
    """What loss ops read: class scores first, so that a box loss never claims their layers."""
    losses = (op for op in analysis.ops if kind_of(op.type) == "loss")
    reads = [(op, head) for op in losses for head in head_slots(op.type)]
    reads.sort(key=lambda pair: pair[1].what == "box")
    return once(head for op, slot in reads for head in _typed(analysis, op, slot))


def _typed(analysis: ProgramAnalysis, op: Op, known: HeadSlot) -> Iterator[Feature]:
    """What one loss op reads, before it was moved about."""
    value = analysis.flow.read(op, known.slot)
    if value is None or not analysis.after_first_layer[value.id]:
        return
    parts = vector_parts(analysis)
    find = pre_activation if _reads_scores(op, known) else source_before_reshape
    ends = find(analysis, value, parts)
    if known.what in ("class", "any"):
        # A softmax of a softmax is never taught with logits: those are in front of the first.
        ends = [v for end in ends for v in _before_softmax(analysis, end, parts)]
    if known.what == "box" or any(analysis.depends_on_label[end.id] for end in ends):
        # Offsets are decoded, and samples picked by the labels, before such a loss reads them.
        layers = producing_layers(analysis, ends, parts)
        ends = layers if known.what == "box" or not _are_computed(analysis, ends, parts) else ends
    ends = outside(analysis, ends, value)
    source = f"{known.slot} of {op.type}"
    for end in ends:
        yield make_head(analysis, first_equal(analysis, end), known.what, source, len(ends) > 1)


def _reads_scores(op: Op, known: HeadSlot) -> bool:
    """Whether a loss reads probabilities, so that the logits are in front of an activation."""
    return known.squashed or op.attrs.get("use_softmax") is False


def _before_softmax(analysis: ProgramAnalysis, value: Value, parts: Container[int]) -> list[Value]:
    """What a softmax makes scores of, where a value is what it gives; else the value."""
    op = analysis.producer(value)
    is_scores = op is not None and kind_of(op.type) == "softmax"
    return pre_activation(analysis, value, parts) if is_scores else [value]


def _are_computed(analysis: ProgramAnalysis, ends: list[Value], parts: Container[int]) -> bool:
    """Whether logits are computed from what layers make and what is fed, as distances are.

    A product with fed vectors or a sum over channels makes other numbers, of other classes; a
    fed temperature, mask or prior changes those of the layer, and a gather picks among them.
    """

    def goes_on(op: Op) -> bool:
        return not ends_layer(analysis, op) and not _makes_others(op)

    last = walk_back(analysis, ends, goes_on, parts)
    makers = [op for value in last if (op := analysis.producer(value)) is not None]
    return any(_makes_others(op) and not ends_layer(analysis, op) for op in makers)


def _makes_others(op: Op) -> bool:
    return kind_of(op.type) in ("linear", "reduce", "control")


def _heads_of_composite_loss(analysis: ProgramAnalysis, known: set[int]) -> list[Feature]:
    """The last layers before predictions meet labels, where a scalar loss comes of it.

    Args:
        analysis: the program.
        known: ids of what losses with an op of their own read; nothing before it is looked at.
    """
    if not analysis.labels:
        return []

    def predecessors(value: int) -> Iterator[int]:
        return iter(()) if value in known else analysis.predecessors(value)

    def goes_on(op: Op) -> bool:
        made = ends_layer(analysis, op) or is_upsampler(op.type)
        return not made and not scales_to_unit(analysis, op)

    before = reachable(_totals(analysis), predecessors)
    parts = vector_parts(analysis)
    stops = known | parts.keys()
    heads: list[tuple[Value, Reader, str]] = []
    for op in analysis.ops:
        reads = analysis.reads(op)
        if not any(analysis.depends_on_label[v.id] for v in reads):
            continue
        if not any(v.id in before and v.id not in known for v in analysis.flow.writes(op)):
            continue
        pure = [
            v
            for v in reads
            if analysis.after_first_layer[v.id] and not analysis.depends_on_label[v.id]
        ]
        source = f"meets the labels at {op.type}"
        heads += [
            (first_equal(analysis, end), _reader(analysis, end, op), source)
            for read in pure
            for end in outside(analysis, walk_back(analysis, [read], goes_on, stops), read)
            if parts.get(end.id) not in known
        ]
    many = len({end.id for end, _, _ in heads if end.id not in known}) > 1
    made = (make_head(analysis, *head, many) for head in heads)
    return once(head for head in made if head.value not in known)


def _reader(analysis: ProgramAnalysis, value: Value, op: Op) -> Reader:
    """What a loss of elementary ops is.

    -sum(y * log_softmax(x)) is one over classes; where labels are subtracted from a vector as it
    is, it is a regression.
    """
    used = usage(analysis, value)
    if used.softmaxed and used.softmax is not None:
        return "class"
    subtracts = computed_by(op.type) == "subtract" and not used.sigmoid
    return "box" if subtracts and not is_map(analysis, value) else "any"


def _totals(analysis: ProgramAnalysis) -> Iterator[int]:
    """Ids of the scalars that sum up what both the network and the labels go into."""
    for value in analysis.flow.values:
        mixed = analysis.after_first_layer[value.id] and analysis.depends_on_label[value.id]
        op = analysis.producer(value)
        is_scalar = analysis.shape(value) in ((), (1,))
        if mixed and is_scalar and op is not None and _sums_up(op):
            yield value.id


def _sums_up(op: Op) -> bool:
    """Whether an op makes one number of many, or adds such numbers up."""
    return kind_of(op.type) == "reduce" or computed_by(op.type) == "add"
