"""The outputs of a network as its train program shows them: what its losses read."""

from __future__ import annotations

from collections.abc import Iterator

from graphprobe.ir import Op, Value
from graphprobe.ir.dataflow import reachable
from graphprobe.ops.facets import HeadSlot
from graphprobe.ops.kinds import computed_by, head_slots, kind_of
from graphprobe.pairing.analysis import ProgramAnalysis
from graphprobe.pairing.classify import make_head
from graphprobe.pairing.features import Feature
from graphprobe.pairing.map_kinds import is_map
from graphprobe.pairing.roles import Reader
from graphprobe.pairing.trace import pre_activation, producing_layers, source_before_reshape
from graphprobe.pairing.usage import usage
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
    return once([*typed, *_heads_of_composite_loss(analysis, known)])


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
    find = pre_activation if known.squashed else source_before_reshape
    ends = find(analysis, value)
    if known.what == "box" or any(analysis.depends_on_label[end.id] for end in ends):
        # Offsets are decoded, and samples picked by the labels, before such a loss reads them.
        ends = producing_layers(analysis, ends)
    source = f"{known.slot} of {op.type}"
    for end in ends:
        yield make_head(analysis, end, known.what, source, len(ends) > 1)


def _heads_of_composite_loss(analysis: ProgramAnalysis, known: set[int]) -> list[Feature]:
    """The last layers before predictions meet labels, where a scalar loss comes of it.

    Args:
        analysis: the program.
        known: ids of what losses with an op of their own read; nothing before it is looked at.
    """
    if not analysis.labels:
        return []
    before = reachable(_totals(analysis), analysis.predecessors)
    heads: list[tuple[Value, Reader, str]] = []
    for op in analysis.ops:
        reads = analysis.reads(op)
        if not any(analysis.depends_on_label[v.id] for v in reads):
            continue
        if not any(v.id in before for v in analysis.flow.writes(op)):
            continue
        pure = [
            v
            for v in reads
            if analysis.after_first_layer[v.id] and not analysis.depends_on_label[v.id]
        ]
        source = f"meets the labels at {op.type}"
        heads += [
            (end, _reader(analysis, end, op), source)
            for end in producing_layers(analysis, pure, known)
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
